/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/**
 * @file
 * Front end of net_vstate: a socket of its own, registered with rte_vhost as an
 * application would, and not through rte_vdpa (see doc/guides/vdpadevs/vstate.rst).
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_string_fns.h>
#include <rte_vhost.h>

#include "vstate_frontend.h"
#include "vstate_log.h"
#include "vstate_net.h"

/* Protocol features that DPDK renamed; postcopy tells page faults over a second channel. */
#define PROTOCOL_F_BACKEND_REQ RTE_BIT64(5)
#define PROTOCOL_F_BACKEND_SEND_FD RTE_BIT64(10)

static int
path_is(struct vstate_dev *dev, void *arg)
{
	void **found = arg;

	if (strcmp(dev->conf.iface, found[0]) != 0)
		return 0;
	found[1] = dev;
	return 1;
}

static struct vstate_dev *
dev_of_vid(int vid)
{
	char path[PATH_MAX];
	void *found[2] = { path, NULL };

	if (rte_vhost_get_ifname(vid, path, sizeof(path)) != 0)
		return NULL;
	vstate_dev_foreach(path_is, found);
	return found[1];
}

static int
new_connection(int vid)
{
	struct vstate_dev *dev = dev_of_vid(vid);

	if (dev == NULL || vstate_frontend_await(vid, dev) != 0) {
		VSTATE_LOG(ERR, "connection %d turned away", vid);
		return -1;
	}
	return 0;
}

static void
destroy_connection(int vid)
{
	struct vstate_dev *dev = dev_of_vid(vid);

	if (dev != NULL)
		vstate_frontend_detach(vid, dev);
}

static int
vring_state_changed(int vid, uint16_t qid, int enable)
{
	return vstate_frontend_ring_state(vid, qid, enable != 0);
}

static const struct rte_vhost_device_ops socket_ops = {
	.new_device = vstate_frontend_start,
	.destroy_device = vstate_frontend_stop,
	.vring_state_changed = vring_state_changed,
	.new_connection = new_connection,
	.destroy_connection = destroy_connection,
};

/*
 * A process that was killed leaves its socket behind, and rte_vhost would refuse to
 * listen there. Remove it if nobody listens any more, and never anything else.
 */
static void
stale_socket_remove(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct stat st;
	int fd;

	if (lstat(path, &st) != 0 || !S_ISSOCK(st.st_mode))
		return;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	rte_strscpy(un.sun_path, path, sizeof(un.sun_path));
	if (connect(fd, (struct sockaddr *)&un, sizeof(un)) != 0 && errno == ECONNREFUSED)
		unlink(path);
	close(fd);
}

static uint64_t
register_flags(const struct vstate_conf *conf)
{
	uint64_t flags = RTE_VHOST_USER_NET_COMPLIANT_OL_FLAGS;

	if (conf->client)
		flags |= RTE_VHOST_USER_CLIENT;
	if (conf->postcopy_support)
		flags |= RTE_VHOST_USER_POSTCOPY_SUPPORT;
	return flags;
}

/* Of what the library offers, keep only what this device does. */
static int
features_limit(struct vstate_dev *dev)
{
	const char *path = dev->conf.iface;
	uint64_t library = 0;

	if (rte_vhost_driver_get_features(path, &library) != 0)
		return -EIO;
	dev->features_offered &= library;
	if (rte_vhost_driver_disable_features(path, library & ~dev->features_offered) != 0)
		return -EIO;
	/* The library does not know these; they are offered and taken without it (vstate_msg.c). */
	dev->features_offered |= VSTATE_OWN_FEATURES;
	return 0;
}

/*
 * Of what the library offers, keep what this device has a use for: the library serves some
 * (in-flight regions, host notifiers) whether a back end wants them or not. It passes on
 * protocol features that it does not know.
 */
static int
protocol_features_limit(struct vstate_dev *dev)
{
	const char *path = dev->conf.iface;
	uint64_t library = 0, ours = vstate_net_protocol_features();

	if (dev->conf.postcopy_support)
		ours |= RTE_BIT64(VHOST_USER_PROTOCOL_F_PAGEFAULT) | PROTOCOL_F_BACKEND_REQ |
			PROTOCOL_F_BACKEND_SEND_FD;
	if (rte_vhost_driver_get_protocol_features(path, &library) != 0)
		return -EIO;
	library &= ours;
	/* Served and taken without the library (vstate_msg.c). */
	library |= VSTATE_PROTOCOL_F_INFLIGHT;
	if (dev->conf.device_state)
		library |= VSTATE_PROTOCOL_F_DEVICE_STATE;
	return rte_vhost_driver_set_protocol_features(path, library) == 0 ? 0 : -EIO;
}

/*
 * rte_vhost makes the thread that serves its sockets with the first one that it starts. A new
 * thread may wait for a processor for milliseconds while poll threads have them all, and the guest
 * with it. So this is done ahead of a takeover, with a client of a socket that is not there: one
 * that listens, or is registered under the path of the process that has the device, would
 * remove a file when it goes.
 */
static int
ahead_path(const struct vstate_dev *dev, char path[PATH_MAX])
{
	int len = snprintf(path, PATH_MAX, "%s/%s.%d.nobody", dev->conf.state_dir, dev->name,
			getpid());

	return len < (int)sizeof(((struct sockaddr_un *)NULL)->sun_path) ? 0 : -ENAMETOOLONG;
}

void
vstate_socket_prepare(struct vstate_dev *dev)
{
	/* What is to be a client has a second thread, which connects again. */
	uint64_t flags = RTE_VHOST_USER_CLIENT |
		(dev->conf.client ? 0 : RTE_VHOST_USER_NO_RECONNECT);
	char path[PATH_MAX];

	/* Without it all works, only later. */
	if (ahead_path(dev, path) != 0 || rte_vhost_driver_register(path, flags) != 0)
		return;
	dev->socket_ahead = true;
	rte_vhost_driver_start(path);
}

void
vstate_socket_prepare_end(struct vstate_dev *dev)
{
	char path[PATH_MAX];

	if (dev->socket_ahead && ahead_path(dev, path) == 0)
		rte_vhost_driver_unregister(path);
	dev->socket_ahead = false;
}

static int
socket_open(struct vstate_dev *dev)
{
	const char *path = dev->conf.iface;
	struct stat st;
	int ret;

	if (!dev->conf.client) {
		stale_socket_remove(path);
		/* rte_vhost would remove it when it cannot bind to it. */
		if (lstat(path, &st) == 0) {
			VSTATE_LOG(ERR, "%s: %s is in use", dev->name, path);
			return -EADDRINUSE;
		}
	}
	if (rte_vhost_driver_register(path, register_flags(&dev->conf)) != 0) {
		VSTATE_LOG(ERR, "%s: cannot use socket %s", dev->name, path);
		return -EADDRINUSE;
	}
	ret = features_limit(dev);
	if (ret == 0)
		ret = protocol_features_limit(dev);
	if (ret == 0 && rte_vhost_driver_callback_register(path, &socket_ops) != 0)
		ret = -EIO;
	if (ret == 0 && rte_vhost_driver_start(path) != 0) {
		VSTATE_LOG(ERR, "%s: cannot listen on or connect to %s", dev->name, path);
		ret = -EADDRINUSE;
	}
	if (ret != 0)
		rte_vhost_driver_unregister(path);
	dev->socket_open = ret == 0;
	return ret;
}

int
vstate_socket_open(struct vstate_dev *dev)
{
	int ret;

	pthread_mutex_lock(&dev->socket_lock);
	ret = dev->socket_shut ? -ESHUTDOWN : socket_open(dev);
	pthread_mutex_unlock(&dev->socket_lock);
	return ret;
}

/* Whether a descriptor is our end of a connection at @p path. */
static bool
fd_is_connection(int fd, const char *path)
{
	struct sockaddr_un un = { 0 };
	socklen_t len = sizeof(un);
	int listens = 0;
	socklen_t listens_len = sizeof(listens);

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &listens_len) != 0 || listens != 0)
		return false;
	/* that of a listener, or of the front end's, whoever bound it */
	if (getsockname(fd, (struct sockaddr *)&un, &len) == 0 && un.sun_family == AF_UNIX &&
			strncmp(un.sun_path, path, sizeof(un.sun_path)) == 0)
		return true;
	len = sizeof(un);
	memset(&un, 0, sizeof(un));
	return getpeername(fd, (struct sockaddr *)&un, &len) == 0 && un.sun_family == AF_UNIX &&
		strncmp(un.sun_path, path, sizeof(un.sun_path)) == 0;
}

int
vstate_socket_hold(const struct vstate_dev *dev)
{
	struct dirent *e;
	int fd, found = -1;
	DIR *d;

	d = opendir("/proc/self/fd");
	if (d == NULL)
		return -1;
	while (found < 0 && (e = readdir(d)) != NULL) {
		if (sscanf(e->d_name, "%d", &fd) == 1 && fd != dirfd(d) &&
				fd_is_connection(fd, dev->conf.iface))
			found = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	}
	closedir(d);
	return found;
}

void
vstate_socket_hang_up(int fd)
{
	if (fd < 0)
		return;
	shutdown(fd, SHUT_RDWR);
	close(fd);
}

static void
socket_close(struct vstate_dev *dev)
{
	if (!dev->socket_open)
		return;
	dev->socket_open = false;
	__atomic_store_n(&dev->closing, true, __ATOMIC_RELAXED);
	rte_vhost_driver_unregister(dev->conf.iface);
	/* rte_vhost ended its connections without a word: their names will be given again */
	dev->waiting_vid = -1;
	if (dev->vid >= 0)
		vstate_frontend_detach(dev->vid, dev);
}

void
vstate_socket_close(struct vstate_dev *dev)
{
	pthread_mutex_lock(&dev->socket_lock);
	__atomic_store_n(&dev->socket_shut, true, __ATOMIC_RELAXED);
	socket_close(dev);
	pthread_mutex_unlock(&dev->socket_lock);
}
