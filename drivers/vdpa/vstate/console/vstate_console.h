/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_CONSOLE_H
#define VSTATE_CONSOLE_H

/**
 * @file
 * A console: features, config space, state, and the work that its ports have in common. Members of
 * struct vstate_class, documented there.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "dev/vstate_dev.h"
#include "vstate_console_port.h"

struct rte_tel_data;
struct rte_vhost_state;
struct rte_vhost_state_limits;

/** The class's part of a device. */
struct vstate_console {
	struct vstate_dev *dev;
	/**
	 * Guards the ports with their host's sides. The thread of the consoles holds it for one
	 * turn, in which nothing waits. Taken after the control lock, and before a lease.
	 */
	pthread_mutex_t lock;
	/** Watches kicks, host's sides and @p wake. The thread watches this one. */
	int epfd;
	/** An eventfd: look at everything. */
	int wake;
	/** Tells who opens and closes terminals. */
	int notify;
	uint16_t nb_ports;
	struct vstate_console_port ports[VSTATE_CONSOLE_MAX_PORTS];
	/** The host's sides are made, or were left to another process. */
	bool host_made, host_left;
	/** A state was captured on request: the bytes read ahead go with it. */
	bool captured;
	/** What a killed process left is known. */
	bool recovered;
	/** The driver has sent DEVICE_READY. */
	bool driver_ready;
	/** List of the thread. Owner: vstate_console_thread.c. */
	TAILQ_ENTRY(vstate_console) next;
	bool served, again;
};

static inline struct vstate_console *
vstate_console_of(struct vstate_dev *dev)
{
	return dev->of_class;
}

/** Reading takes the lock of the console, too. */
static inline struct vstate_console *
vstate_console_of_const(const struct vstate_dev *dev)
{
	return dev->of_class;
}

uint64_t vstate_console_features(const struct vstate_conf *conf);
uint16_t vstate_console_more_vqs(const struct vstate_conf *conf);
int vstate_console_dev_init(struct vstate_dev *dev);
void vstate_console_dev_fini(struct vstate_dev *dev);
int vstate_console_config_get(const struct vstate_dev *dev, uint8_t *config, uint32_t size);
int vstate_console_config_set(struct vstate_dev *dev, const uint8_t *config, uint32_t offset,
		uint32_t size);
void vstate_console_disconnect(struct vstate_dev *dev);
void vstate_console_reset(struct vstate_dev *dev);
void vstate_console_vq_setup(struct vstate_dev *dev, struct vstate_vq *vq);
void vstate_console_run_changed(struct vstate_dev *dev);
void vstate_console_granted(struct vstate_dev *dev);
bool vstate_console_wants_kicks(const struct vstate_vq *vq);
int vstate_console_quiesce(struct vstate_dev *dev, struct vstate_vq *vq, bool finish,
		uint64_t timeout_ns, uint16_t *late_qid);
bool vstate_console_watch(struct vstate_dev *dev);
void vstate_console_capture(const struct vstate_dev *dev, struct rte_vhost_state *st);
int vstate_console_restore(struct vstate_dev *dev, struct rte_vhost_state *st);
int vstate_console_recover(struct vstate_dev *dev, const struct rte_vhost_state *st);
void vstate_console_limits(const struct vstate_dev *dev, struct rte_vhost_state_limits *lim);
void vstate_console_telemetry(const struct vstate_dev *dev, struct rte_tel_data *d);

/** Keep what the driver has said for the next process. The lock of the console is held. */
static inline void
vstate_console_keep(struct vstate_console *c)
{
	struct vstate_console_kept *kept = c->dev->kept;

	kept->driver_ready = c->driver_ready;
}

/** Make the host's sides, if this process owns the device. @return 0 or -errno */
int vstate_console_host_open(struct vstate_dev *dev);
/**
 * Process what is due, for one turn. The thread of the consoles, which is the poller.
 * @return whether there is more to do
 */
bool vstate_console_work(struct vstate_console *c);

#endif /* VSTATE_CONSOLE_H */
