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
#include "vstate_event_thread.h"
#include "vstate_log.h"
#include "vstate_mem_watch.h"
#include "vstate_msg_log.h"
#include "vstate_relay.h"
#include "vstate_socket.h"


/* Protocol features that DPDK renamed. Postcopy reports page faults over a second channel. */
#define PROTOCOL_F_BACKEND_REQ RTE_BIT64(5)
#define PROTOCOL_F_BACKEND_SEND_FD RTE_BIT64(10)

#define S_DRIVER_OK RTE_VHOST_STATE_S_DRIVER_OK
#define S_NEEDS_RESET RTE_VHOST_STATE_S_NEEDS_RESET

/* Bound for rte_vhost's thread to see the end of a connection. */
#define DETACH_MS 50
/* Time between two attempts to open the socket, if the path is in use or descriptors lack. */
#define REOPEN_MS 1000

static int
dev_match_path(struct vstate_dev *dev, void *arg)
{
	void **found = arg;

	if (strcmp(__atomic_load_n(&dev->connection->socket.path, __ATOMIC_ACQUIRE), found[0]) != 0)
		return 0;
	found[1] = dev;
	return 1;
}

static struct vstate_dev *
dev_find_by_vid(int vid)
{
	char path[PATH_MAX];
	void *found[2] = { path, NULL };

	if (rte_vhost_get_ifname(vid, path, sizeof(path)) != 0)
		return NULL;
	vstate_dev_foreach(dev_match_path, found);
	return found[1];
}

static int
new_connection(int vid)
{
	struct vstate_dev *dev = dev_find_by_vid(vid);
	int ret = dev != NULL ? vstate_connection_await(vid, dev) : -ENODEV;

	if (ret == 0)
		return 0;
	VSTATE_LOG(ERR, "%s: connection %d refused: %s", dev != NULL ? dev->name : "no device",
			vid, strerror(-ret));
	return -1;
}

static void
destroy_connection(int vid)
{
	struct vstate_dev *dev = dev_find_by_vid(vid);

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
 * A process that was killed leaves its socket file, and rte_vhost would refuse to listen there.
 * Remove the file only if it is a socket on which no process listens.
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

/* The peer of rte_vhost is the relay of a connection that was taken over. */
static bool
is_relayed(const struct vstate_dev *dev)
{
	return dev->connection->socket.path != dev->conf.iface;
}

static uint64_t
register_flags_get(const struct vstate_dev *dev)
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

/* Offer only features that both the library and this device support. */
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
	/* The library does not know these features: vstate_msg_handle.c offers and accepts them. */
	dev->features_offered |= VSTATE_OWN_FEATURES;
	return 0;
}

/*
 * Offer only protocol features that this device needs. The library would serve others (in-flight
 * regions, host notifiers) on its own. It passes on protocol features that it does not know.
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
	/* vstate_msg_handle.c serves and accepts this feature without the library. */
	library |= VSTATE_PROTOCOL_F_INFLIGHT;
	if (dev->conf.device_state)
		library |= VSTATE_PROTOCOL_F_DEVICE_STATE;
	return rte_vhost_driver_set_protocol_features(path, library) == 0 ? 0 : -EIO;
}

/*
 * rte_vhost starts the thread that reconnects clients with the first client. While poll threads
 * occupy all processors, a new thread may wait for milliseconds, and the guest waits with it. So
 * this device starts the thread before a takeover, with a client of a socket that does not exist.
 * A listening socket would not do: rte_vhost removes its file when the socket is unregistered.
 */
static int
ahead_path_make(const struct vstate_dev *dev, char path[PATH_MAX])
{
	int len = snprintf(path, PATH_MAX, "%s/%s.%u.nobody", dev->conf.state_dir, dev->name,
			vstate_handover_msg_token());

	return len < (int)sizeof(((struct sockaddr_un *)NULL)->sun_path) ? 0 : -ENAMETOOLONG;
}

/*
 * The kernel enlarges a process's descriptor table after an RCU grace period. That took 15 ms while
 * all processors were polling. So the table is enlarged before the takeover. For each queue,
 * rte_vhost has two descriptors and this device has one. The old process passes three, and the
 * message log duplicates them.
 */
#define FDS_OF_DEVICE 64
#define FDS_OF_QUEUE 9

static void
descriptors_prepare(const struct vstate_dev *dev)
{
	/* the lowest free descriptor is about the number of descriptors in use */
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
	char path[PATH_MAX];

	descriptors_prepare(dev);
	vstate_event_thread_keep();
	/* A failure only makes the takeover slower. */
	if (!dev->conf.client || ahead_path_make(dev, path) != 0 ||
			rte_vhost_driver_register(path, RTE_VHOST_USER_CLIENT) != 0)
		return;
	dev->connection->socket.ahead = true;
	rte_vhost_driver_start(path);
}

static void
socket_prepare_end(struct vstate_dev *dev)
{
	char path[PATH_MAX];

	if (dev->connection->socket.ahead && ahead_path_make(dev, path) == 0)
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
		/* rte_vhost would remove the file if it cannot bind to it. */
		if (lstat(path, &st) == 0) {
			VSTATE_LOG(ERR, "%s: %s is in use by another process, or is not a socket",
					dev->name, path);
			return -EADDRINUSE;
		}
	}
	if (rte_vhost_driver_register(path, register_flags_get(dev)) != 0) {
		VSTATE_LOG(ERR, "%s: cannot register socket %s with rte_vhost", dev->name, path);
		return -EADDRINUSE;
	}
	ret = features_limit(dev);
	if (ret == 0)
		ret = protocol_features_limit(dev);
	if (ret == 0 && rte_vhost_driver_callback_register(path, &vhost_ops) != 0)
		ret = -EIO;
	if (ret == 0 && rte_vhost_driver_start(path) != 0) {
		VSTATE_LOG(ERR, "%s: cannot %s %s", dev->name,
				is_relayed(dev) || dev->conf.client ? "connect to" : "listen on",
				path);
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

	vstate_event_thread_keep();
	pthread_mutex_lock(&dev->connection->socket.lock);
	ret = dev->connection->socket.shut ? -ESHUTDOWN : socket_open(dev, dev->conf.iface);
	pthread_mutex_unlock(&dev->connection->socket.lock);
	return ret;
}

/* ---- pass a connection from process to process ---- */

/** The connection that is passed to another process. */
struct passing {
	const struct vstate_hold *hold;
	/** Stays empty if the other process could not continue the connection. */
	struct vstate_handover_msg *msg;
};

/*
 * Only a device that runs can be passed, because the new process starts with a device that runs.
 * For a device that is between two states or suspended, the front end must reconnect.
 */
static bool
connection_can_pass(const struct vstate_dev *dev)
{
	const struct vstate_connection *c = dev->connection;
	const uint8_t status = vstate_run_status(dev);

	return c->msg_log != NULL && c->vid >= 0 && vstate_run_is_started(dev) &&
		!vstate_run_is_blocked(dev, VSTATE_BLOCK_MESSAGE) &&
		(status & S_DRIVER_OK) && !(status & S_NEEDS_RESET) &&
		vstate_msg_log_is_whole(c->msg_log);
}

/*
 * Replace the bases in the log by the current positions. For an idle ring, the new process has no
 * other source of the position.
 */
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

/* False: a second connection, a transfer, or another connection than the one held. */
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

/* @param passing the connection for another process; NULL: no process continues it */
static void
socket_unregister(struct vstate_dev *dev, struct passing *passing)
{
	/* This stops the device and closes its connections without a callback for their end. */
	rte_vhost_driver_unregister(dev->connection->socket.path);
	/* from here on rte_vhost processes no message of this device, so the log is complete */
	if (passing != NULL && !log_pack(dev, passing))
		VSTATE_LOG(NOTICE, "%s: connection not handed over: a message or a transfer is "
				"incomplete, or a second front end waits. The front end must "
				"reconnect", dev->name);
	/* rte_vhost will use the same vids again for other connections */
	dev->connection->waiting_vid = -1;
	if (dev->connection->vid >= 0)
		vstate_connection_detach(dev->connection->vid, dev);
}

/* Open the socket of iface= again, for the front end to reconnect. */
static int
socket_reopen(struct vstate_dev *dev)
{
	if (dev->connection->socket.open)
		socket_unregister(dev, NULL);
	return socket_open(dev, dev->conf.iface);
}

/* The relayed connection ended: replace the relay by the socket of iface=. Socket lock held. */
static int
relay_replace(struct vstate_dev *dev)
{
	unsigned int ms;

	if (dev->connection->socket.open && !is_relayed(dev))
		return 0;
	/*
	 * Wait until rte_vhost's thread has seen the end of the relay. Otherwise it could look at a
	 * new descriptor with the number of the old one.
	 */
	for (ms = 0; ms < DETACH_MS &&
			__atomic_load_n(&dev->connection->vid, __ATOMIC_RELAXED) >= 0 &&
			!vstate_relay_stopping(dev->connection->socket.relay); ms++)
		usleep(1000);
	return socket_reopen(dev);
}

/* Callback at the end of the relayed connection, on the relay's thread. */
static void
relay_ended(void *arg)
{
	struct vstate_dev *dev = arg;
	unsigned int ms = 0;
	int ret = -EAGAIN;

	VSTATE_LOG(INFO, "%s: the connection that was taken over has ended", dev->name);
	/* trylock: a thread that closes the socket holds the lock while it waits for this thread */
	while (!vstate_relay_stopping(dev->connection->socket.relay)) {
		if (ms-- == 0) {
			if (pthread_mutex_trylock(&dev->connection->socket.lock) == 0) {
				ret = relay_replace(dev);
				pthread_mutex_unlock(&dev->connection->socket.lock);
			}
			if (ret == 0)
				return;
			if (ret != -EAGAIN)
				VSTATE_LOG(ERR, "%s: cannot open %s: %s; retried every %d ms",
						dev->name, dev->conf.iface, strerror(-ret),
						REOPEN_MS);
			ms = ret == -EAGAIN ? 0 : REOPEN_MS;
		}
		usleep(1000);
	}
}

/*
 * Make rte_vhost connect to a socket of this device. rte_vhost always connects here, because its
 * thread may take a second to notice a new listener.
 * @return the relay's end of the connection; -errno
 */
static int
relay_connect(struct vstate_dev *dev)
{
	struct vstate_socket *sock = &dev->connection->socket;
	int listener, ret, len;

	len = snprintf(sock->front_path, sizeof(sock->front_path), "%s/%s.%u.front",
			dev->conf.state_dir, dev->name, vstate_handover_msg_token());
	if (len >= (int)sizeof(sock->front_path))
		return -ENAMETOOLONG;
	listener = vstate_handover_msg_listen(sock->front_path);
	if (listener < 0)
		return listener;
	ret = socket_open(dev, sock->front_path);
	if (ret == 0)
		ret = vstate_handover_msg_accept(listener);
	vstate_handover_msg_unlisten(listener, sock->front_path);
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
	/* the replayed messages did not start the device: memory was refused, for example */
	if (!vstate_run_is_started(dev))
		return -ENOTCONN;
	return vstate_relay_run(dev->connection->socket.relay, relay_ended, dev);
}

static int
connection_adopt(struct vstate_dev *dev, struct vstate_handover_msg *msg)
{
	int ret;

	/*
	 * If this fails, this side ends the connection. "leave" keeps the positions of the rings,
	 * so that they resume correctly when the front end connects again.
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

/* Whether a descriptor is this process's end of a connection at @p path. */
static bool
fd_is_connection(int fd, const char *path)
{
	struct sockaddr_un un = { 0 };
	socklen_t len = sizeof(un);
	int listens = 0;
	socklen_t listens_len = sizeof(listens);

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &listens_len) != 0 || listens != 0)
		return false;
	/* the path is the local address if this process listened, and the peer's if it connected */
	if (getsockname(fd, (struct sockaddr *)&un, &len) == 0 && un.sun_family == AF_UNIX &&
			strncmp(un.sun_path, path, sizeof(un.sun_path)) == 0)
		return true;
	len = sizeof(un);
	memset(&un, 0, sizeof(un));
	return getpeername(fd, (struct sockaddr *)&un, &len) == 0 && un.sun_family == AF_UNIX &&
		strncmp(un.sun_path, path, sizeof(un.sun_path)) == 0;
}

/* Duplicate a descriptor, unless the same socket is held already. */
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

/* Find the connections in the process's descriptors, because rte_vhost does not report them. */
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
	if (passing != NULL && (passing->hold->nb != 1 || !connection_can_pass(dev)))
		passing = NULL;
	if (dev->connection->socket.relay != NULL &&
			!vstate_relay_stop(dev->connection->socket.relay) && relayed)
		passing = NULL;
	/* cut the relay first: rte_vhost's thread, for which we wait below, may wait for it */
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

/* ---- the table for the directories below ---- */

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
