/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_telemetry.h>

#include <vstate_compat.h>

#include "dev/vstate_control.h"
#include "dev/vstate_dev.h"
#include "vstate_backend_req.h"
#include "vstate_connection.h"
#include "vstate_log.h"
#include "vstate_vhost_user.h"

/* Reasons for which the front end must not get a request: the device does not run. */
#define BLOCKS_STOPPED (VSTATE_BLOCK_NOT_CONNECTED | VSTATE_BLOCK_NOT_STARTED | \
		VSTATE_BLOCK_MESSAGE | VSTATE_BLOCK_SUSPENDED | VSTATE_BLOCK_RINGS_TAKEN | \
		VSTATE_BLOCK_NOT_OWNER)

void
vstate_backend_req_init(struct vstate_dev *dev)
{
	dev->connection->backend_req.fd = -1;
}

static int
do_set(struct vstate_dev *dev, void *arg)
{
	struct vstate_backend_req *r = &dev->connection->backend_req;
	const int *fd = arg;

	if (r->fd >= 0)
		close(r->fd);
	r->fd = *fd;
	r->config_due = r->fd >= 0;
	return 0;
}

void
vstate_backend_req_set(struct vstate_dev *dev, int fd)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (copy < 0)
		VSTATE_LOG(ERR, "%s: changes of config space are not reported: %s", dev->name,
				strerror(errno));
	vstate_control_run(do_set, dev, &copy);
}

void
vstate_backend_req_end(struct vstate_dev *dev)
{
	int none = -1;

	vstate_control_run(do_set, dev, &none);
}

void
vstate_backend_req_config_changed(struct vstate_dev *dev)
{
	dev->connection->backend_req.config_due = true;
}

void
vstate_backend_req_watch(struct vstate_dev *dev)
{
	static const struct msg msg = { .request = MSG_BACKEND_CONFIG_CHANGE,
		.flags = MSG_VERSION };
	struct vstate_backend_req *r = &dev->connection->backend_req;
	ssize_t n;

	if (!r->config_due || r->fd < 0 || vstate_run_is_blocked(dev, BLOCKS_STOPPED))
		return;
	n = send(r->fd, &msg, MSG_HEADER_SIZE, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	r->config_due = false;
	if (n == MSG_HEADER_SIZE) {
		rte_atomic_fetch_add_explicit(&r->configs, 1, rte_memory_order_relaxed);
		return;
	}
	VSTATE_LOG(ERR, "%s: the front end's channel for requests of the device is closed: %s; "
			"changes of config space are not reported on this connection", dev->name,
			n < 0 ? strerror(errno) : "a message was cut");
	close(r->fd);
	r->fd = -1;
}

void
vstate_backend_req_telemetry(const struct vstate_dev *dev, struct rte_tel_data *d)
{
	vstate_tel_dict_uint(d, "config_changes_sent",
			rte_atomic_load_explicit(&dev->connection->backend_req.configs,
			rte_memory_order_relaxed));
}
