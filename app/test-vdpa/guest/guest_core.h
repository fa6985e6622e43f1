/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef GUEST_CORE_H
#define GUEST_CORE_H

/**
 * @file
 * The structures of the guest: for its own files, and for tests that drive the rings or the
 * connection themselves (bench, conform, hostile).
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>

#include <rte_thread.h>
#include <rte_vhost_state.h>

#include "guest.h"
#include "guest_frame.h"
#include "guest_mem.h"
#include "guest_ring.h"
#include "guest_track.h"
#include "vhost_user_fe.h"
#include "vstate_compat.h"

#ifndef VIRTIO_F_IN_ORDER
#define VIRTIO_F_IN_ORDER 35
#endif

/* Device status bits. */
#define GUEST_S_ACKNOWLEDGE 0x01
#define GUEST_S_DRIVER 0x02
#define GUEST_S_DRIVER_OK 0x04
#define GUEST_S_FEATURES_OK 0x08
#define GUEST_S_SUSPEND 0x10
#define GUEST_S_NEEDS_RESET 0x40

/** VIRTIO_F_SUSPEND (VIRTIO 1.4). */
#define GUEST_F_SUSPEND 43

/** Most pieces of a receive buffer. */
#define GUEST_RX_SEGS 8

/** Pieces of a receive buffer. The number of descriptors never changes. */
struct guest_rx_slot {
	uint16_t nb;
	bool indirect;
	struct guest_seg segs[GUEST_RX_SEGS];
};

/**
 * A queue pair. Only the traffic thread writes it, except where noted. Fields that other threads
 * read are accessed with guest_get() and guest_set().
 */
struct guest_pair {
	struct guest *g;
	uint16_t index;
	struct guest_ring rx, tx;

	/** The memory of this pair: rings and buffers. */
	struct guest_mem_range zone;
	uint64_t rx_gpa, tx_gpa;
	uint32_t rx_stride, tx_stride;
	uint32_t rx_slots, tx_slots;
	/** Most pieces of a frame that is sent. */
	uint16_t tx_segs;
	struct guest_rx_slot *rx_slot;
	uint32_t *tx_free, nb_tx_free;
	/** Most frames on their way, so that no ring can overflow. */
	uint32_t window;

	/** The ring is broken: its positions are unknown. */
	bool rx_dead, tx_dead;
	/** Frames in several pieces are assembled here. */
	uint8_t *scratch, *tx_scratch;
	uint32_t scratch_size;
	/** An incomplete frame: buffers that are missing, bytes so far. */
	uint32_t part_need, part_len;

	struct guest_track track;
	/** Next sequence number; set before the frame is in the ring. */
	uint64_t next_seq;
	/** Copies of track.next and of the other counts, for other threads. */
	uint64_t rx_next, unique, received, duplicated, reordered, corrupted, foreign, empty;
	/** Time since which frames are on their way and none arrived; 0: none on its way. */
	uint64_t wait_since;
	uint64_t gap_max, watch_max;
	/** The largest gap of the previous measurement. */
	uint64_t watch_last;
	/** Start of the current rate interval, and frames sent in it. */
	uint64_t rate_start, rate_sent;
	uint64_t progress_at;
	/** Set by the caller's thread; the traffic thread answers in paused. */
	bool pause_want, paused;
	uint64_t rnd;
};

/** The control queue; see guest_ctrl.h. */
struct guest_ctrl {
	struct guest_ring ring;
	/** The command and its answer. */
	uint64_t buf_gpa;
	/** What the commands set. */
	struct rte_vhost_state_net_ctrl set;
	uint64_t rnd;
};

struct guest_link {
	struct guest *g;
	struct vu_fe fe;
	/** Offered and negotiated features. */
	uint64_t offered, features;
	/** The back end has a device status: rings may be enabled before DRIVER_OK. */
	bool has_status;
	bool prepared;
	/** This link replaces one to a back end that died; the guest is waiting. */
	bool recovering;
	uint16_t nb_vqs;
	int *kick, *call;
	uint32_t *base, *next_base;
};

/** An in-flight region; map NULL: none. */
struct guest_region {
	void *map;
	int fd;
	uint64_t size, offset;
};

struct guest {
	struct guest_conf conf;
	struct guest_frame_conf frame;
	struct guest_mem mem;
	/** Features in force since the first link; 0: no link yet. */
	uint64_t features;
	struct guest_pair *pairs;
	struct guest_ctrl ctrl;
	struct guest_region region;
	/** Socket that all back ends connect to; -1: each link has its own. */
	int listener;

	/** Protects active and the eventfds of the active link. */
	pthread_mutex_t lock;
	struct guest_link *active;
	uint64_t kicks, calls, calls_missed;

	/** Causal traffic: the pair that sends the next frame. Traffic thread only. */
	uint16_t turn;

	rte_thread_t thread;
	bool running;
	/** Set by the caller's thread. */
	bool stop, use_calls;
	uint64_t drain_ns;
	/**
	 * Measurement of gaps. The caller's thread sets start, then ask; the traffic thread answers
	 * by ask == answer.
	 */
	uint64_t watch_start, watch_ask, watch_answer;

	char why[160];
};

/* Other threads only read the counts: no order with other memory is needed, only whole values. */
#define guest_get(p) rte_atomic_load_explicit(p, rte_memory_order_relaxed)
#define guest_set(p, v) rte_atomic_store_explicit(p, v, rte_memory_order_relaxed)

static inline bool
guest_has(const struct guest *g, unsigned int bit)
{
	return (g->features >> bit) & 1;
}

static inline uint16_t
guest_nb_vqs(const struct guest *g)
{
	return 2 * g->conf.pairs + g->conf.cvq;
}

/** Ring of virtqueue @p vq: even receive, odd transmit; behind the pairs the control queue. */
static inline struct guest_ring *
guest_ring_of(struct guest *g, uint16_t vq)
{
	if (vq == 2 * g->conf.pairs)
		return &g->ctrl.ring;
	return vq % 2 == 0 ? &g->pairs[vq / 2].rx : &g->pairs[vq / 2].tx;
}

#endif /* GUEST_CORE_H */
