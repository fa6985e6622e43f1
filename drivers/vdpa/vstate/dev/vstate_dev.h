/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_DEV_H
#define VSTATE_DEV_H

/**
 * @file
 * The device: virtqueues, guest memory, status, and what may be done to them when.
 *
 * Two front ends drive it (a socket of its own, or rte_vdpa), through the functions
 * below. All but those marked otherwise run on the control thread or hand their work to
 * it, so that changes of a device come one after the other.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/un.h>

#include <rte_bitops.h>
#include <rte_ether.h>
#include <rte_vhost.h>

#include "rte_vhost_state.h"
#include "vstate_devargs.h"
#include "ring/vstate_mem.h"
#include "ring/vstate_vq.h"

#define VSTATE_MAX_PAIRS 64
#define VSTATE_MAX_VQS (2 * VSTATE_MAX_PAIRS)

/** Virtqueue index of a pair's receive and transmit queue, as the driver names them. */
#define VSTATE_RXQ(pair) (2 * (pair))
#define VSTATE_TXQ(pair) (2 * (pair) + 1)

/** Above the bytes of a MAC address; see struct vstate_dev::rarp_due. */
#define VSTATE_RARP_DUE RTE_BIT64(8 * RTE_ETHER_ADDR_LEN)

/** Who polls the virtqueues. */
enum vstate_poller {
	VSTATE_POLLER_NONE,
	VSTATE_POLLER_PORT,
	VSTATE_POLLER_SERVICE,
};

/** One ring, as the front end set it up. */
struct vstate_ring_setup {
	bool ready;
	uint16_t size;
	void *desc, *driver, *device;
	int callfd;
	/** The front end set it since the device took one over. */
	bool callfd_fresh;
	/** The front end set a base that the device has not taken over yet. */
	bool base_fresh;
	/**
	 * The base that the front end set, and where the ring goes on if nothing is in flight:
	 * rte_vhost moves split rings to the used index that it finds in the guest's memory.
	 */
	struct vstate_pos avail, used;
};

/** All that the front end said, collected in one go by the thread that talks to it. */
struct vstate_setup {
	uint64_t features;
	/** Whether the status byte comes by messages, or DRIVER_OK is implied. */
	bool status_negotiated;
	uint16_t mtu;
	struct vstate_mem mem;
	uint8_t *log_base;
	uint64_t log_size;
	struct vstate_ring_setup rings[VSTATE_MAX_VQS];
};

struct rte_vdpa_device;
struct vstate_device_state;
struct vstate_msg_log;
struct vstate_relay;
struct vstate_state_file;
struct vstate_takeover;
struct vstate_recovery;
struct vstate_inflight_shm;
struct vstate_port;
struct vstate_net_bridge;

struct vstate_dev {
	TAILQ_ENTRY(vstate_dev) next;
	char name[RTE_VHOST_STATE_NAME_SIZE];
	struct vstate_conf conf;
	uint64_t features_offered;
	struct rte_ether_addr mac;

	/* -- front end -- */
	/** Guards the two below: the takeover thread opens and closes, and who closes the port. */
	pthread_mutex_t socket_lock;
	/** net_vstate's socket is open; it never will be again. */
	bool socket_open, socket_shut;
	/** A socket of no use is registered for its threads; see vstate_socket_prepare(). */
	bool socket_ahead;
	/** What rte_vhost has registered: iface=, or front_path while it hears all from a relay. */
	const char *socket_path;
	char front_path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	/** Of a connection that was taken over from another process, open or not; or NULL. */
	struct vstate_relay *relay;
	/** What the front end said, for the process that takes over; NULL without state_dir=. */
	struct vstate_msg_log *msg_log;
	/** rte_vhost's name for the connection; -1: none. Belongs to the vhost thread. */
	int vid;
	/** A second connection that waits for the end of the first; -1: none. */
	int waiting_vid;
	/** The state on its way through a file descriptor, or NULL; and who moves its bytes. */
	struct vstate_device_state *device_state;
	pthread_mutex_t device_state_lock;
	/** States that went through one; written by the vhost thread. */
	struct {
		uint64_t saved, saved_bytes, loaded, loaded_bytes, refused;
	} moved;
	/** The front end negotiated VIRTIO_F_SUSPEND, of which rte_vhost knows nothing. */
	bool suspend_negotiated;
	/** The same of the protocol feature INFLIGHT_SHMFD. */
	bool inflight_negotiated;
	/** Rings that rte_vhost calls ready; belongs to the vhost thread. */
	bool ring_ready[VSTATE_MAX_VQS];
	bool base_fresh[VSTATE_MAX_VQS];
	/** Bases of split rings as the front end said them. */
	uint16_t base_said[VSTATE_MAX_VQS];
	bool callfd_fresh[VSTATE_MAX_VQS];
	/** The queue whose descriptor is replaced by the message being processed; -1: none. */
	int fd_qid;
	/** rte_vhost has called that queue stopped for it, and not ready again yet. */
	bool fd_taken;

	/* -- owned by the control thread -- */
	bool connected;
	/** The front end finished set-up and has not taken the rings back. */
	bool started;
	/** A message is being processed that changes what the rings rest on. */
	bool paused;
	/** Another process gets it: at rest for good. */
	bool leaving;
	/** Suspended because the front end took the rings back, and not on request. */
	bool rings_taken;
	uint8_t status;
	uint64_t features;
	uint16_t mtu;
	/** An MTU set while suspended; takes effect at resume. 0: none. */
	uint16_t mtu_next;
	struct vstate_mem mem;
	uint8_t *log_base;
	uint64_t log_size;
	enum vstate_poller poller;
	/** Restored or loaded, waiting for DRIVER_OK. */
	struct rte_vhost_state *restored;
	/** It came before the front end said what it negotiated and which rings there are. */
	bool restored_loaded;
	/** As it was when the rings were taken back; until they are given again. */
	struct rte_vhost_state *kept;
	/** What outlives this process; NULL without state_dir=. */
	struct vstate_state_file *state_file;
	/** What a process before left there, for rings that have not come yet; or NULL. */
	struct vstate_recovery *recovery;
	/** In-flight region of the front end, or NULL. */
	struct vstate_inflight_shm *inflight_shm;
	/** Hands the page over, or waits for it; NULL without one. */
	struct vstate_takeover *takeover;
	/** This side ends the connection: the rings stay as they are for who comes next. */
	bool closing;
	/** Sizes and addresses that the front end announced so far. */
	struct {
		uint16_t size;
		bool addr_known;
		uint64_t desc_addr, driver_addr, device_addr;
	} announced[VSTATE_MAX_VQS];
	struct rte_vhost_state_timing suspend_time, capture_time, restore_time, resume_time;
	uint64_t faults[VSTATE_FAULT_MAX];
	/** What @p faults were at the last reset of statistics. */
	uint64_t faults_base[VSTATE_FAULT_MAX];
	uint64_t starts, resets;

	/* -- read by poll threads, too -- */
	/** Pairs that are granted now, counted from pair 0. */
	uint16_t active_pairs;
	/**
	 * The guest is to be announced: its MAC address, and VSTATE_RARP_DUE; 0: it is not. One
	 * word, as control may set and clear it while a poll thread reads it and ends it.
	 */
	uint64_t rarp_due;

	/** Held by the service while it goes over the queues; granted while it is the poller. */
	struct vstate_lease poller_lease;

	struct vstate_port *port;
	struct vstate_net_bridge *bridge;
	struct rte_vdpa_device *vdpa;
	uint16_t nb_vqs;
	struct vstate_vq *vqs[VSTATE_MAX_VQS];
};

/** Allocate a device and its queues on NUMA node @p socket; NULL with rte_errno. */
struct vstate_dev *vstate_dev_create(const char *name, const struct vstate_conf *conf, int socket);
/** Free it. No poll thread and no front end may know it any more. */
void vstate_dev_destroy(struct vstate_dev *dev);

/** Run @p fn for each device, under the lock of the list. Stops when it returns non-zero. */
int vstate_dev_foreach(int (*fn)(struct vstate_dev *dev, void *arg), void *arg);
struct vstate_dev *vstate_dev_find(const char *name);
/** Look for queues that poll threads found broken. Control thread. */
void vstate_dev_watch(struct vstate_dev *dev);
/** @return true if a transfer moves that has not come to its end */
bool vstate_dev_watch_all(void);

/* ---- events of a front end; called by its thread ---- */

void vstate_dev_connect(struct vstate_dev *dev);
void vstate_dev_disconnect(struct vstate_dev *dev);
/** Take all leases back until the next vstate_dev_sync(); waits as long as it takes. */
void vstate_dev_pause(struct vstate_dev *dev);
/** Take over what the front end says now, and go on. */
void vstate_dev_sync(struct vstate_dev *dev, const struct vstate_setup *setup);
/** The front end is ready: begin to process rings. -errno if a restored state does not fit. */
int vstate_dev_start(struct vstate_dev *dev, const struct vstate_setup *setup);
/** The front end takes the rings back; positions stay. */
void vstate_dev_stop(struct vstate_dev *dev);
/** A ring was taken away; the others go on. */
void vstate_dev_ring_stop(struct vstate_dev *dev, uint16_t qid);
/**
 * A ring came while the device runs; the others go on. -EAGAIN: more than this ring rests on it,
 * vstate_dev_sync() it is.
 */
int vstate_dev_ring_start(struct vstate_dev *dev, uint16_t qid,
		const struct vstate_ring_setup *ring);
/** The front end wants to be called by @p fd from now on, or not at all (-1). */
void vstate_dev_ring_call(struct vstate_dev *dev, uint16_t qid, int fd);
/** The driver wrote the status byte. */
void vstate_dev_status_write(struct vstate_dev *dev, uint8_t status);
/** Features are negotiated (SET_FEATURES). */
void vstate_dev_negotiate(struct vstate_dev *dev, uint64_t features, bool status_negotiated);
uint8_t vstate_dev_status_read(struct vstate_dev *dev);
/** What SET_VRING_NUM and SET_VRING_ADDR said, for the checks of a restore. */
void vstate_dev_announce_size(struct vstate_dev *dev, uint16_t qid, uint16_t size);
void vstate_dev_announce_addr(struct vstate_dev *dev, uint16_t qid, uint64_t desc_addr,
		uint64_t driver_addr, uint64_t device_addr);
/** The front end set the MTU; a suspended device takes it at resume. */
void vstate_dev_mtu(struct vstate_dev *dev, uint16_t mtu);
/** The guest arrived by a move: tell the network where it is now. */
void vstate_dev_rarp(struct vstate_dev *dev, const struct rte_ether_addr *mac);

/* ---- pollers ---- */

/** Change who polls. No poll thread is inside while @p apply runs (may be NULL). */
int vstate_dev_set_poller(struct vstate_dev *dev, enum vstate_poller poller,
		void (*apply)(struct vstate_dev *dev, void *arg), void *arg);
/**
 * Buffers (split) or descriptors (packed) that wait in the transmit queues of pairs @p first,
 * first + step, ... Any thread: it is counted by the control thread, without a lease, so that
 * an onlooker never is taken for the poll thread.
 */
uint32_t vstate_dev_waiting(struct vstate_dev *dev, uint16_t first, uint16_t step);
/**
 * Poll thread: a frame that announces the guest; NULL: no mbuf, or it is not due any more.
 * @param due written, for vstate_dev_rarp_done() when the frame is on its way
 */
struct rte_mbuf *vstate_dev_rarp_make(const struct vstate_dev *dev, struct rte_mempool *pool,
		uint64_t *due);
/** Poll thread: it was announced; another announcement that came meanwhile stays due. */
void vstate_dev_rarp_done(struct vstate_dev *dev, uint64_t due);
/** Let the counters of a queue begin anew. Any thread that may call statistics functions. */
void vstate_vq_counters_reset(struct vstate_vq *vq);
/** Counters since the last reset. Any thread. */
void vstate_vq_counters_get(const struct vstate_vq *vq, struct vstate_vq_counters *out);

/* ---- state; the operations of rte_vhost_state ---- */

extern const struct rte_vhost_state_ops vstate_state_ops;

/**
 * The state for a front end that asks for it: as it was when the rings were taken back, or as it
 * is now if the device is suspended. NULL in @p st, and 0, for a device that never started.
 */
int vstate_dev_save(struct vstate_dev *dev, struct rte_vhost_state **st,
		struct rte_vhost_state_error *err);
/**
 * A front end brings a state before it sets the device up. What can be checked now is; the rest
 * at start. NULL: a state of a device that never started.
 */
int vstate_dev_load(struct vstate_dev *dev, const struct rte_vhost_state *st,
		struct rte_vhost_state_error *err);

/** Control thread only: the state as it is, of a device at rest; NULL without memory. */
struct rte_vhost_state *vstate_state_collect(const struct vstate_dev *dev);

/** Control thread only: a state waits for the rings (vstate_restore.c). */
int vstate_restore_set(struct vstate_dev *dev, const struct rte_vhost_state *st, bool loaded,
		struct rte_vhost_state_error *err);
void vstate_restore_drop(struct vstate_dev *dev);
/** It meets them: put in force, or refused with a reason in the log. */
int vstate_restore_meet(struct vstate_dev *dev, const struct vstate_setup *setup);

/** Control thread only: what the operations and the status byte have in common. */
int vstate_state_suspend(struct vstate_dev *dev, uint64_t timeout_ns,
		struct rte_vhost_state_error *err);
int vstate_state_resume(struct vstate_dev *dev, struct rte_vhost_state_error *err);
/** A wait longer than this for a poll thread is an error. */
#define VSTATE_SUSPEND_TIMEOUT_NS 1000000000ull

/** Control thread only: stop all leases at one instant; on -ETIMEDOUT nothing changed. */
int vstate_quiesce(struct vstate_dev *dev, uint64_t timeout_ns, uint16_t *late_qid);
/** Control thread only: the same, whatever it takes, before memory goes that is polled. */
void vstate_quiesce_always(struct vstate_dev *dev);
/** Control thread only: take back the lease of one queue, whatever it takes. */
void vstate_quiesce_vq(struct vstate_dev *dev, struct vstate_vq *vq);
/** Control thread only: no service runs over the queues any more. */
void vstate_poller_lease_revoke(struct vstate_dev *dev);
/** Control thread only: grant the queues that may run. */
void vstate_grant(struct vstate_dev *dev);
/** Control thread only: the same for one queue, while the others are polled. */
void vstate_grant_vq(struct vstate_dev *dev, struct vstate_vq *vq);
/** Control thread only, no one is inside: call the driver, when a suspended device is resumed. */
void vstate_dev_call_vq(struct vstate_dev *dev, struct vstate_vq *vq);

#endif /* VSTATE_DEV_H */
