/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_SCSI_CLASS_H
#define VSTATE_SCSI_CLASS_H

/** @file The table of the SCSI class. */

#include "dev/vstate_class.h"

extern const struct vstate_class vstate_scsi_class;

#endif /* VSTATE_SCSI_CLASS_H */
