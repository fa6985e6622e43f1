/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest_core.h"
#include "hostile_env.h"
#include "hostile_send.h"
#include "vhost_user_fe.h"

int
hostile_open_fd(struct hostile_env *e, enum hostile_fd kind, int *other)
{
	int fds[2];

	*other = -1;
	switch (kind) {
	case FD_EVENT: return eventfd(0, EFD_CLOEXEC);
	case FD_MEMORY: return dup(e->g->mem.fd);
	case FD_NULL: return open("/dev/null", O_RDWR | O_CLOEXEC);
	case FD_DIR: return open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	case FD_SMALL:
		fds[0] = memfd_create("small", MFD_CLOEXEC);
		if (fds[0] >= 0 && ftruncate(fds[0], 4096) < 0)
			return -1;
		return fds[0];
	case FD_PIPE:
		if (pipe2(fds, O_CLOEXEC) < 0)
			return -1;
		*other = fds[0];
		return fds[1];
	default: return -1;
	}
}

void
hostile_send(struct hostile_env *e, uint32_t request, uint32_t flags, uint32_t size,
		const void *payload, uint32_t len, const int *fds, unsigned int nb_fds)
{
	struct vu_header hdr = { .request = request, .flags = flags, .size = size };

	vu_fe_send_raw(&e->l->fe, &hdr, payload, len, fds, nb_fds);
}
