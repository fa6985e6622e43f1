/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
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

#include <linux/virtio_config.h>

#include <rte_errno.h>
#include <rte_string_fns.h>
#include <rte_telemetry.h>
#include <rte_vhost.h>

#include <vstate_compat.h>

#include "dev/vstate_class.h"
#include "dev/vstate_dev.h"
#include "handover/vstate_handover.h"
#include "handover/vstate_handover_msg.h"
#include "handover/vstate_state_file.h"
#include "ring/vstate_vq.h"
#include "vstate_connection.h"
#include "vstate_device_state.h"
#include "vstate_log.h"
#include "vstate_mem_watch.h"
#include "vstate_msg_log.h"
#include "vstate_relay.h"
#include "vstate_socket.h"


/* Protocol features that DPDK renamed; postcopy tells page faults over a second channel. */
#define PROTOCOL_F_BACKEND_REQ RTE_BIT64(5)
#define PROTOCOL_F_BACKEND_SEND_FD RTE_BIT64(10)

#define S_DRIVER_OK RTE_VHOST_STATE_S_DRIVER_OK
#define S_NEEDS_RESET RTE_VHOST_STATE_S_NEEDS_RESET

/* rte_vhost's thread has seen the end of a connection. */
#define DETACH_MS 50
/* Until the next attempt where the path is in use, or descriptors are. */
#define REOPEN_MS 1000

static int
path_is(struct vstate_dev *dev, void *arg)
{
	void **found = arg;

	if (strcmp(__atomic_load_n(&dev->connection->socket.path, __ATOMIC_ACQUIRE), found[0]) != 0)
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

	if (dev == NULL || vstate_connection_await(vid, dev) != 0) {
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
		vstate_connection_detach(vid, dev);
}

static int
vring_state_changed(int vid, uint16_t qid, int enable)
{
	return vstate_connection_ring_state(vid, qid, enable != 0);
}

static const struct rte_vhost_device_ops vhost_ops = {
	.new_device = vstate_connection_start,
	.destroy_device = vstate_connection_stop,
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

/* rte_vhost has a connection to a relay, and none to a front end. */
static bool
is_relayed(const struct vstate_dev *dev)
{
	return dev->connection->socket.path != dev->conf.iface;
}

static uint64_t
register_flags(const struct vstate_dev *dev)
{
	uint64_t flags = RTE_VHOST_USER_NET_COMPLIANT_OL_FLAGS;

	if (is_relayed(dev))
		flags |= RTE_VHOST_USER_CLIENT | RTE_VHOST_USER_NO_RECONNECT;
	else if (dev->conf.client)
		flags |= RTE_VHOST_USER_CLIENT;
	if (dev->conf.postcopy_support)
		flags |= RTE_VHOST_USER_POSTCOPY_SUPPORT;
	return flags;
}

/* Of what the library offers, keep only what this device does. */
static int
features_limit(struct vstate_dev *dev)
{
	const char *path = dev->connection->socket.path;
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
	const char *path = dev->connection->socket.path;
	uint64_t library = 0, ours = dev->class->protocol_features;

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
	int len = snprintf(path, PATH_MAX, "%s/%s.%u.nobody", dev->conf.state_dir, dev->name,
			vstate_handover_msg_token());

	return len < (int)sizeof(((struct sockaddr_un *)NULL)->sun_path) ? 0 : -ENAMETOOLONG;
}

/*
 * The kernel makes a process's table of descriptors longer only when each processor has been
 * elsewhere, which took 15 ms where all of them spin. For each queue rte_vhost has two descriptors,
 * this device its own of one, and three are passed, and noted for whoever is next.
 */
#define FDS_OF_DEVICE 64
#define FDS_OF_QUEUE 9

static void
descriptors_prepare(const struct vstate_dev *dev)
{
	/* the lowest that is free comes after those in use, but for holes */
	int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0), far;

	if (fd < 0)
		return;
	far = fcntl(fd, F_DUPFD_CLOEXEC, fd + FDS_OF_DEVICE + FDS_OF_QUEUE * dev->nb_vqs);
	if (far >= 0)
		close(far);
	close(fd);
}

static void
socket_prepare(struct vstate_dev *dev)
{
	/* What is to be a client has a second thread, which connects again. */
	uint64_t flags = RTE_VHOST_USER_CLIENT |
		(dev->conf.client ? 0 : RTE_VHOST_USER_NO_RECONNECT);
	char path[PATH_MAX];

	descriptors_prepare(dev);
	/* Without it all works, only later. */
	if (ahead_path(dev, path) != 0 || rte_vhost_driver_register(path, flags) != 0)
		return;
	dev->connection->socket.ahead = true;
	rte_vhost_driver_start(path);
}

static void
socket_prepare_end(struct vstate_dev *dev)
{
	char path[PATH_MAX];

	if (dev->connection->socket.ahead && ahead_path(dev, path) == 0)
		rte_vhost_driver_unregister(path);
	dev->connection->socket.ahead = false;
}

static int
socket_open(struct vstate_dev *dev, const char *path)
{
	struct stat st;
	int ret;

	__atomic_store_n(&dev->connection->socket.path, path, __ATOMIC_RELEASE);
	if (!is_relayed(dev) && !dev->conf.client) {
		stale_socket_remove(path);
		/* rte_vhost would remove it when it cannot bind to it. */
		if (lstat(path, &st) == 0) {
			VSTATE_LOG(ERR, "%s: %s is in use", dev->name, path);
			return -EADDRINUSE;
		}
	}
	if (rte_vhost_driver_register(path, register_flags(dev)) != 0) {
		VSTATE_LOG(ERR, "%s: cannot use socket %s", dev->name, path);
		return -EADDRINUSE;
	}
	ret = features_limit(dev);
	if (ret == 0)
		ret = protocol_features_limit(dev);
	if (ret == 0 && rte_vhost_driver_callback_register(path, &vhost_ops) != 0)
		ret = -EIO;
	if (ret == 0 && rte_vhost_driver_start(path) != 0) {
		VSTATE_LOG(ERR, "%s: cannot listen on or connect to %s", dev->name, path);
		ret = -EADDRINUSE;
	}
	if (ret != 0)
		rte_vhost_driver_unregister(path);
	dev->connection->socket.open = ret == 0;
	return ret;
}

static int
socket_open_first(struct vstate_dev *dev)
{
	int ret;

	pthread_mutex_lock(&dev->connection->socket.lock);
	ret = dev->connection->socket.shut ? -ESHUTDOWN : socket_open(dev, dev->conf.iface);
	pthread_mutex_unlock(&dev->connection->socket.lock);
	return ret;
}

/* ---- a connection that is passed from process to process ---- */

/** To another process. */
struct passing {
	const struct vstate_hold *hold;
	/** Stays empty where that process could not go on with it. */
	struct vstate_handover_msg *msg;
};

/*
 * A device that is between two states is for the front end to set up anew, as is one that is
 * suspended: to be there again it would have to run before.
 */
static bool
can_be_passed(const struct vstate_dev *dev)
{
	return dev->connection->msg_log != NULL && dev->connection->vid >= 0 && vstate_run_is_started(dev) && !vstate_run_is_blocked(dev, VSTATE_BLOCK_MESSAGE) &&
		(vstate_run_status(dev) & S_DRIVER_OK) && !(vstate_run_status(dev) & S_NEEDS_RESET) &&
		vstate_msg_log_is_whole(dev->connection->msg_log);
}

/* Where the rings stand, and not where they once began: nothing else tells it of one at rest. */
static void
log_rebase(struct vstate_dev *dev)
{
	const bool packed = vstate_dev_is_packed(dev);
	const struct vstate_vq *vq;
	uint32_t base;
	uint16_t i;

	for (i = 0; i < dev->nb_vqs; i++) {
		vq = dev->vqs[i];
		base = packed ? vstate_pos_wire(vq->used) : 0;
		base = base << 16 | (packed ? vstate_pos_wire(vq->avail) : vq->avail.idx);
		if (!dev->connection->base_fresh[i])
			vstate_msg_log_rebase(dev->connection->msg_log, i, base);
	}
}

/* Nor did it begin with something else meanwhile. */
static bool
log_pack(struct vstate_dev *dev, struct passing *p)
{
	if (dev->connection->waiting_vid >= 0 || dev->connection->device_state != NULL ||
			vstate_msg_log_number(dev->connection->msg_log) != p->hold->number)
		return false;
	log_rebase(dev);
	if (vstate_msg_log_pack(dev->connection->msg_log, p->msg) != 0)
		return false;
	p->msg->connection = p->hold->fds[0];
	return true;
}

/* @param passing NULL: nobody goes on with what was said */
static void
socket_unregister(struct vstate_dev *dev, struct passing *passing)
{
	/* It stops the device, and ends its connections without a word. */
	rte_vhost_driver_unregister(dev->connection->socket.path);
	/* none of its threads is at work for this device any more: nothing is said after this */
	if (passing != NULL && !log_pack(dev, passing))
		VSTATE_LOG(NOTICE, "%s: its front end is in the middle of something", dev->name);
	/* their names will be given again */
	dev->connection->waiting_vid = -1;
	if (dev->connection->vid >= 0)
		vstate_connection_detach(dev->connection->vid, dev);
}

/* Where the front end is to connect the next time. */
static int
socket_reopen(struct vstate_dev *dev)
{
	if (dev->connection->socket.open)
		socket_unregister(dev, NULL);
	return socket_open(dev, dev->conf.iface);
}

/* The front end went, or rte_vhost did not want it any more. With the lock. */
static int
relay_replace(struct vstate_dev *dev)
{
	unsigned int ms;

	if (dev->connection->socket.open && !is_relayed(dev))
		return 0;
	/*
	 * rte_vhost's thread sees the end of it, or is about to: what it looks for is not to be
	 * the next descriptor of that number.
	 */
	for (ms = 0; ms < DETACH_MS && __atomic_load_n(&dev->connection->vid, __ATOMIC_RELAXED) >= 0 &&
			!vstate_relay_stopping(dev->connection->socket.relay); ms++)
		usleep(1000);
	return socket_reopen(dev);
}

/* The relay's thread. */
static void
relay_ended(void *arg)
{
	struct vstate_dev *dev = arg;
	unsigned int ms = 0;
	int ret = -EAGAIN;

	VSTATE_LOG(INFO, "%s: the connection that was taken over has ended", dev->name);
	/* who closes the socket has the lock, and waits for this thread */
	while (!vstate_relay_stopping(dev->connection->socket.relay)) {
		if (ms-- == 0) {
			if (pthread_mutex_trylock(&dev->connection->socket.lock) == 0) {
				ret = relay_replace(dev);
				pthread_mutex_unlock(&dev->connection->socket.lock);
			}
			if (ret == 0)
				return;
			if (ret != -EAGAIN)
				VSTATE_LOG(ERR, "%s: no front end can connect for now: %s",
						dev->name, strerror(-ret));
			ms = ret == -EAGAIN ? 0 : REOPEN_MS;
		}
		usleep(1000);
	}
}

/*
 * Have rte_vhost connect to a socket of ours, also where it would listen: its thread may look
 * for new listeners only after a second.
 * @return the relay's end, or -errno
 */
static int
relay_connect(struct vstate_dev *dev)
{
	int listener, ret, len;

	len = snprintf(dev->connection->socket.front_path, sizeof(dev->connection->socket.front_path), "%s/%s.%u.front",
			dev->conf.state_dir, dev->name, vstate_handover_msg_token());
	if (len >= (int)sizeof(dev->connection->socket.front_path))
		return -ENAMETOOLONG;
	listener = vstate_handover_msg_listen(dev->connection->socket.front_path);
	if (listener < 0)
		return listener;
	ret = socket_open(dev, dev->connection->socket.front_path);
	if (ret == 0)
		ret = vstate_handover_msg_accept(listener);
	vstate_handover_msg_unlisten(listener, dev->connection->socket.front_path);
	return ret;
}

static int
relay_make(struct vstate_dev *dev, struct vstate_handover_msg *msg)
{
	int back = relay_connect(dev);

	if (back < 0)
		return back;
	dev->connection->socket.relay = vstate_relay_begin(back, msg);
	if (dev->connection->socket.relay == NULL)
		return -rte_errno;
	/* it was refused memory, or the front end was about to do something else */
	if (!vstate_run_is_started(dev))
		return -ENOTCONN;
	return vstate_relay_run(dev->connection->socket.relay, relay_ended, dev);
}

static int
connection_adopt(struct vstate_dev *dev, struct vstate_handover_msg *msg)
{
	int ret;

	/*
	 * Where it does not succeed it is this side that ends it, and the front end that comes
	 * finds the rings as another process left them, or as they are now.
	 */
	__atomic_store_n(&dev->connection->leave, true, __ATOMIC_RELAXED);
	ret = relay_make(dev, msg);
	if (ret != 0) {
		VSTATE_LOG(WARNING, "%s: its front end has to connect again: %s", dev->name,
				strerror(-ret));
		if (dev->connection->socket.relay != NULL)
			vstate_relay_cut(dev->connection->socket.relay);
		if (dev->connection->socket.open)
			socket_unregister(dev, NULL);
		vstate_relay_free(dev->connection->socket.relay);
		dev->connection->socket.relay = NULL;
		dev->connection->socket.open = false;
	}
	__atomic_store_n(&dev->connection->leave, false, __ATOMIC_RELAXED);
	if (ret == 0)
		return 0;
	if (dev->handover->recovery == NULL) {
		vstate_state_file_close(dev);
		ret = vstate_state_file_open(dev);
		if (ret != 0)
			return ret;
	}
	return socket_open(dev, dev->conf.iface);
}

static int
socket_adopt(struct vstate_dev *dev, struct vstate_handover_msg *msg, bool *kept)
{
	struct vstate_socket *socket = &dev->connection->socket;
	int ret = -ESHUTDOWN;

	pthread_mutex_lock(&socket->lock);
	if (!socket->shut)
		ret = connection_adopt(dev, msg);
	*kept = ret == 0 && socket->relay != NULL;
	pthread_mutex_unlock(&socket->lock);
	vstate_handover_msg_drop(msg);
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

/* A descriptor of a socket that is not held yet: rte_vhost's, or a copy that somebody has. */
static void
hold_add(struct vstate_hold *hold, int fd)
{
	struct stat st, held;
	unsigned int i;

	if (hold->nb == RTE_DIM(hold->fds) || fstat(fd, &st) != 0)
		return;
	for (i = 0; i < hold->nb; i++) {
		if (fstat(hold->fds[i], &held) == 0 && held.st_ino == st.st_ino)
			return;
	}
	fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (fd >= 0)
		hold->fds[hold->nb++] = fd;
}

/* Of what this process has open, as rte_vhost does not tell. */
static void
connections_find(const char *path, struct vstate_hold *hold)
{
	struct dirent *e;
	DIR *d;
	int fd;

	d = opendir("/proc/self/fd");
	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		if (sscanf(e->d_name, "%d", &fd) == 1 && fd != dirfd(d) &&
				fd_is_connection(fd, path))
			hold_add(hold, fd);
	}
	closedir(d);
}

static void
socket_hold(struct vstate_dev *dev, struct vstate_hold *hold)
{
	*hold = (struct vstate_hold){ 0 };
	if (dev->connection->msg_log != NULL)
		hold->number = vstate_msg_log_number(dev->connection->msg_log);
	pthread_mutex_lock(&dev->connection->socket.lock);
	if (is_relayed(dev) && dev->connection->socket.relay != NULL) {
		hold->fds[0] = vstate_relay_hold(dev->connection->socket.relay);
		hold->nb = hold->fds[0] >= 0;
	} else {
		connections_find(dev->conf.iface, hold);
	}
	pthread_mutex_unlock(&dev->connection->socket.lock);
}

static void
socket_hang_up(struct vstate_hold *hold)
{
	while (hold->nb > 0) {
		hold->nb--;
		shutdown(hold->fds[hold->nb], SHUT_RDWR);
		close(hold->fds[hold->nb]);
	}
}

static void
socket_close(struct vstate_dev *dev, struct passing *passing)
{
	const bool relayed = is_relayed(dev);

	__atomic_store_n(&dev->connection->leave, true, __ATOMIC_RELAXED);
	if (passing != NULL && (passing->hold->nb != 1 || !can_be_passed(dev)))
		passing = NULL;
	if (dev->connection->socket.relay != NULL && !vstate_relay_stop(dev->connection->socket.relay) && relayed)
		passing = NULL;
	/* or rte_vhost's thread might wait for it, and we for that */
	if (dev->connection->socket.relay != NULL && passing == NULL)
		vstate_relay_cut(dev->connection->socket.relay);
	if (dev->connection->socket.open)
		socket_unregister(dev, passing);
	dev->connection->socket.open = false;
	if (!vstate_relay_free(dev->connection->socket.relay) && relayed && passing != NULL) {
		passing->msg->connection = -1;
		vstate_handover_msg_drop(passing->msg);
	}
	dev->connection->socket.relay = NULL;
}

static void
socket_shut(struct vstate_dev *dev, struct passing *passing)
{
	pthread_mutex_lock(&dev->connection->socket.lock);
	__atomic_store_n(&dev->connection->socket.shut, true, __ATOMIC_RELAXED);
	socket_close(dev, passing);
	pthread_mutex_unlock(&dev->connection->socket.lock);
}

void
vstate_socket_close(struct vstate_dev *dev)
{
	socket_shut(dev, NULL);
}

static void
socket_pack(struct vstate_dev *dev, const struct vstate_hold *hold,
		struct vstate_handover_msg *msg)
{
	struct passing passing = { hold, msg };

	*msg = VSTATE_HANDOVER_MSG_EMPTY;
	socket_shut(dev, &passing);
}

/* ---- the table for the rooms below ---- */

static bool
socket_is_shut(const struct vstate_dev *dev)
{
	return __atomic_load_n(&dev->connection->socket.shut, __ATOMIC_RELAXED);
}

static void
socket_telemetry(const struct vstate_dev *dev, struct rte_tel_data *d)
{
	rte_tel_data_add_dict_int(d, "relayed", is_relayed(dev));
	vstate_connection_telemetry(dev, d);
}

static bool
socket_watch(struct vstate_dev *dev)
{
	vstate_mem_watch_report(dev);
	return vstate_device_state_watch(dev);
}

const struct vstate_front_end_ops vstate_socket_ops = {
	.watch = socket_watch,
	.telemetry = socket_telemetry,
	.prepare = socket_prepare,
	.prepare_end = socket_prepare_end,
	.open = socket_open_first,
	.adopt = socket_adopt,
	.close = vstate_socket_close,
	.is_shut = socket_is_shut,
	.hold = socket_hold,
	.hang_up = socket_hang_up,
	.pack = socket_pack,
};
