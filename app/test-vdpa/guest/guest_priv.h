/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef GUEST_PRIV_H
#define GUEST_PRIV_H

/**
 * @file
 * What the files of the guest share, and what hostile guests use to misbehave.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>

#include "guest.h"
#include "guest_frame.h"
#include "guest_mem.h"
#include "guest_ring.h"
#include "guest_track.h"
#include "vhost_user_fe.h"

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

/** A receive buffer's place and pieces. The number of descriptors never changes. */
struct guest_rx_slot {
	uint16_t nb;
	bool indirect;
	struct guest_seg segs[GUEST_RX_SEGS];
};

/**
 * A queue pair. Written by the traffic thread only, except where noted. Fields that
 * others read are accessed with guest_get() and guest_set().
 */
struct guest_pair {
	struct guest *g;
	uint16_t index;
	struct guest_ring rx, tx;

	/** Everything that belongs to this pair, rings and buffers. */
	struct guest_mem_range zone;
	uint64_t rx_gpa, tx_gpa;
	uint32_t rx_stride, tx_stride;
	uint32_t rx_slots, tx_slots;
	/** Most pieces of a frame sent. */
	uint16_t tx_segs;
	struct guest_rx_slot *rx_slot;
	uint32_t *tx_free, nb_tx_free;
	/** Frames on their way at most, so that no ring can overflow. */
	uint32_t window;

	/** A ring that cannot go on. */
	bool rx_dead, tx_dead;
	/** Where frames in several pieces are put together. */
	uint8_t *scratch, *tx_scratch;
	uint32_t scratch_size;
	/** A frame of which not all buffers have come. */
	uint32_t part_need, part_len;

	struct guest_track track;
	/** Next sequence number; set before the frame is in the ring. */
	uint64_t next_seq;
	/** Copy of track.next, and of the other counts. */
	uint64_t rx_next, unique, received, duplicated, reordered, corrupted, foreign, empty;
	/** Since when frames are on their way and none has come; 0: none on its way. */
	uint64_t wait_since;
	uint64_t gap_max, watch_max;
	/** The largest of the watch before. */
	uint64_t watch_last;
	/** Start of the current rate interval, and frames sent in it. */
	uint64_t rate_start, rate_sent;
	uint64_t progress_at;
	/** Set by the control thread; answered in paused. */
	bool pause_want, paused;
	uint64_t rnd;
};

struct guest_link {
	struct guest *g;
	struct vu_fe fe;
	/** Features offered, and those negotiated. */
	uint64_t offered, features;
	/** The back end has status: rings may be enabled before DRIVER_OK. */
	bool has_status;
	bool prepared;
	/** The guest waits for it. */
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
	struct guest_region region;
	/** Where back ends come to; -1: where a link says. */
	int listener;

	/** Guards active, and the eventfds of the active link. */
	pthread_mutex_t lock;
	struct guest_link *active;
	uint64_t kicks, calls, calls_missed;

	/** Causal traffic: the pair that sends the next frame. Of the traffic thread. */
	uint16_t turn;

	pthread_t thread;
	bool running;
	/** Set by the control thread. */
	bool stop, use_calls;
	uint64_t drain_ns;
	/** The watch for gaps: set start, then ask; the thread answers by ask == answer. */
	uint64_t watch_start, watch_ask, watch_answer;

	char why[160];
};

static inline uint64_t
guest_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ull + (uint64_t)ts.tv_nsec;
}

/* Counts are only watched: no order with other memory is needed, only whole values. */
#define guest_get(p) __atomic_load_n(p, __ATOMIC_RELAXED)
#define guest_set(p, v) __atomic_store_n(p, v, __ATOMIC_RELAXED)

static inline bool
guest_has(const struct guest *g, unsigned int bit)
{
	return (g->features >> bit) & 1;
}

static inline uint16_t
guest_nb_vqs(const struct guest *g)
{
	return 2 * g->conf.pairs;
}

/** Ring of virtqueue @p vq: even receive, odd transmit. */
static inline struct guest_ring *
guest_ring_of(struct guest *g, uint16_t vq)
{
	return vq % 2 == 0 ? &g->pairs[vq / 2].rx : &g->pairs[vq / 2].tx;
}

/** Remember what went wrong first, for people. */
void guest_complain(struct guest *g, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- guest_layout.c ---- */

/** Memory, rings and buffers for the features in force. */
int guest_layout(struct guest *g);
void guest_layout_free(struct guest *g);
/** Cut @p len bytes at @p gpa into @p nb pieces with gaps of at most GUEST_SEG_GAP. */
void guest_cut(uint64_t *rnd, uint64_t gpa, uint32_t len, uint16_t nb, bool write,
		struct guest_seg *segs);
/** Most bytes between two pieces. */
#define GUEST_SEG_GAP 32u

/* ---- guest_link.c ---- */

/** Kick virtqueue @p vq of the active link, if there is one. */
void guest_kick(struct guest *g, uint16_t vq);
/** Send SET_VRING_* of one virtqueue, as guest_link_prepare() does. */
int guest_link_setup_vq(struct guest_link *l, uint16_t vq);

/* ---- guest_inflight.c ---- */

/** Get a region from the first back end, and let each have it before its rings. */
int guest_inflight_hand_over(struct guest_link *l);
void guest_inflight_free(struct guest *g);

/* ---- guest_traffic.c ---- */

/** Hand all receive buffers to the device. */
void guest_traffic_fill(struct guest *g);
/** Take @p pair out of traffic once its frames have come back, or put it back. */
int guest_pair_pause(struct guest *g, uint16_t pair, int timeout_ms);
void guest_pair_resume(struct guest *g, uint16_t pair);

/* ---- guest_pair.c ---- */

/** Receive and send what is there, up to a burst each; true if anything moved. */
bool guest_pair_poll(struct guest_pair *p, uint64_t now, bool send);
/** Frames sent that no later arrival accounts for. */
uint64_t guest_pair_on_way(const struct guest_pair *p);
/** Put receive buffer @p slot into the ring. */
int guest_pair_post(struct guest_pair *p, uint32_t slot);

#endif /* GUEST_PRIV_H */
