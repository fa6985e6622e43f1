/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include "vstate_log.h"

RTE_LOG_REGISTER_DEFAULT(vstate_logtype, NOTICE);
