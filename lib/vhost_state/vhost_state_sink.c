/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <string.h>

#include <rte_common.h>

#include "rte_vhost_state.h"
#include "vhost_state_crc.h"
#include "vhost_state_sink.h"

void
vhost_state_sink_flush(struct vhost_state_sink *sink)
{
	if (sink->error == 0 && sink->flush != NULL && sink->used > 0)
		sink->error = sink->flush(sink);
	sink->used = 0;
}

void
vhost_state_sink_put(struct vhost_state_sink *sink, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	size_t n;

	sink->total += len;
	if (sink->sum)
		sink->crc = vhost_state_crc32(sink->crc, bytes, len);
	while (sink->buf != NULL && len > 0 && sink->error == 0) {
		n = RTE_MIN(len, sink->size - sink->used);
		memcpy(sink->buf + sink->used, p, n);
		sink->used += n;
		p += n;
		len -= n;
		if (sink->used == sink->size && sink->flush != NULL)
			vhost_state_sink_flush(sink);
		else if (len > 0)
			sink->error = -rte_vhost_state_reason_errno(RTE_VHOST_STATE_R_NO_SPACE);
	}
}
