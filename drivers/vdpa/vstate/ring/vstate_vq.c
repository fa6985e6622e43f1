/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <rte_string_fns.h>

#include "vstate_log.h"
#include "vstate_vq.h"

RTE_LOG_REGISTER(vstate_logtype, pmd.vdpa.vstate, NOTICE);

static struct {
	char name[24];
	const char *text;
} faults[] = {
#define FAULT_ROW(name, text) [VSTATE_FAULT_##name] = { #name, text },
	VSTATE_FAULTS(FAULT_ROW)
#undef FAULT_ROW
};

/* Telemetry and extended statistics have small letters. */
RTE_INIT(vstate_fault_names_init)
{
	unsigned int i;
	char *p;

	for (i = 0; i < RTE_DIM(faults); i++) {
		for (p = faults[i].name; *p != '\0'; p++)
			*p = tolower((unsigned char)*p);
	}
}

const char *
vstate_fault_name(enum vstate_fault fault)
{
	return (unsigned int)fault < RTE_DIM(faults) ? faults[fault].name : "unknown";
}

const char *
vstate_fault_text(enum vstate_fault fault)
{
	return (unsigned int)fault < RTE_DIM(faults) ? faults[fault].text : "unknown fault";
}

void
vstate_vq_callfd_set(struct vstate_vq *vq, int fd)
{
	if (vq->callfd >= 0)
		close(vq->callfd);
	vq->callfd = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (fd >= 0 && vq->callfd < 0)
		VSTATE_LOG(ERR, "no calls for queue %u: %s", vq->qid, strerror(errno));
}

void
vstate_vq_call(struct vstate_vq *vq)
{
	const uint64_t one = 1;

	if (vq->callfd < 0)
		return;
	/* It is an eventfd that does not block (see when it was set). If the write fails its
	 * counter is full, and who reads it is called already.
	 */
	if (write(vq->callfd, &one, sizeof(one)) == (ssize_t)sizeof(one))
		vq->counters.calls++;
}
