/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef GUEST_H
#define GUEST_H

/**
 * @file
 * The built-in virtio-net guest: memory in a memfd, a split and a packed driver,
 * vhost-user front ends (links) towards one or more back ends, and numbered
 * traffic that is checked frame by frame.
 *
 * It is a second implementation on purpose: it shares no ring code with the
 * device, so that a mistake in one is seen by the other.
 *
 * A guest has one set of rings. At any moment at most one link is *active* (its
 * back end processes the rings); another may be set up meanwhile, so that a move
 * is: prepare link B - suspend A - capture A - restore B - driver_ok B.
 * All functions return 0 or -errno unless they say otherwise, and are called from
 * one thread, the caller's; traffic runs in a thread of the guest's own.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define GUEST_MAX_PAIRS 64

/** How the guest is built. */
struct guest_conf {
	/** Queue pairs, 1 .. GUEST_MAX_PAIRS. */
	uint16_t pairs;
	/** Descriptors in each ring, 8 .. 32768; split: a power of two. */
	uint16_t ring_size;
	bool packed;
	/** VIRTIO features that the driver wants; only those offered are negotiated. */
	uint64_t features;
	/** Frame lengths without virtio header and FCS, 60 .. 65550; each frame draws one. */
	uint32_t frame_min, frame_max;
	/** Seed of frame lengths, contents and descriptor layouts. */
	uint64_t seed;
	/** Most frames of a queue on their way at a time; 0: as many as cannot overflow a ring. */
	uint16_t window;
	/** Frames a second and queue; 0: as fast as possible. */
	uint64_t rate;
	/** Spread a frame over random numbers of descriptors, not the shortest chain. */
	bool any_layout;
	/**
	 * Even so, receive buffers that rte_vhost (22.11) can take: split, the virtio header in the
	 * first two descriptors, beyond which it writes outside the buffer; packed, one direct
	 * descriptor each, as it takes four of any kind for four buffers.
	 */
	bool rx_as_rte_vhost;
	/**
	 * One frame on its way in all the guest: frame n + 1 is sent by the next pair when n has
	 * come back to this one.
	 */
	bool causal;
	/** Have the back end note what it has in flight in a region, and hand that to the next. */
	bool inflight;
	/** Back ends may be killed: a receive buffer may come back empty, a frame is lost then. */
	bool crashes;
};

/** Counts of one queue pair or, summed, of a guest. */
struct guest_counts {
	uint64_t sent, received;
	uint64_t lost, duplicated, reordered, corrupted;
	/** Receive buffers that came back empty; corrupted ones, too, unless back ends crash. */
	uint64_t empty;
	/** Longest time without a received frame while frames were on their way, ns. */
	uint64_t gap_max_ns;
};

/** Notifications of a guest, all links together. */
struct guest_notify {
	/** Kicks sent because the device wanted them, and after each DRIVER_OK. */
	uint64_t kicks;
	/** Calls received; next to none unless guest_use_calls() is on. */
	uint64_t calls;
	/** Calls that did not come though the driver had asked for them. */
	uint64_t calls_missed;
};

struct guest;
struct guest_link;

/** NULL with rte_errno. */
struct guest *guest_create(const struct guest_conf *conf);
/** Close all links first. */
void guest_destroy(struct guest *g);
/** What went wrong first, in words; NULL if nothing did. */
const char *guest_error(const struct guest *g);
/** Features in force since the first link; later links must offer them all. 0: no link yet. */
uint64_t guest_features(const struct guest *g);

/** A link with eventfds and without a connection; NULL with rte_errno. */
struct guest_link *guest_link_new(struct guest *g);
/**
 * Open its vhost-user connection and agree upon the protocol: owner, protocol features, queue
 * number. Retries for @p timeout_ms while the peer is not there yet.
 * @param server true: listen on @p path and accept one back end (its client=1)
 * @return 0, -errno
 */
int guest_link_connect(struct guest_link *l, const char *path, bool server, int timeout_ms);
/** guest_link_new() and guest_link_connect(); NULL with rte_errno. */
struct guest_link *guest_link_open(struct guest *g, const char *path, bool server, int timeout_ms);
/** Listen on @p path for all back ends that come; guest_link_open() takes one after the other. */
int guest_listen(struct guest *g, const char *path);
/** Whether the back end closes the connection within @p timeout_ms. */
bool guest_link_hung_up(const struct guest_link *l, int timeout_ms);
/** Status 0, then ACKNOWLEDGE and DRIVER; features. */
int guest_link_negotiate(struct guest_link *l);
/** guest_link_open() and guest_link_negotiate(). */
struct guest_link *guest_connect(struct guest *g, const char *path, bool server, int timeout_ms);

/**
 * Hand over memory and rings up to FEATURES_OK: memory table, size, base, addresses,
 * kick, call, enable. Bases are those of fresh rings unless guest_link_set_base() said
 * otherwise. A back end without status is enabled by guest_link_driver_ok() only.
 */
int guest_link_prepare(struct guest_link *l);
/**
 * Go on where a back end was that died without a word: the next guest_link_prepare() sends what
 * a front end can know, which is used->idx of split rings, and nothing of packed ones. It asks
 * for no acknowledgements meanwhile.
 */
void guest_link_recover(struct guest_link *l);
/** Write DRIVER_OK: the back end may process the rings; l becomes the active link. */
int guest_link_driver_ok(struct guest_link *l);
/** GET_VRING_BASE of all rings, status 0; keeps the rings' contents. */
int guest_link_stop(struct guest_link *l);
/** Close the connection and free the link. */
void guest_link_close(struct guest_link *l);
/**
 * Suspend by the status byte: write SUSPEND, read until SUSPEND is set and DRIVER_OK is not.
 * @return -ENOTSUP without VIRTIO_F_SUSPEND or status, -EAGAIN without DRIVER_OK, -EREMOTEIO
 *   if the device needs a reset, -ETIMEDOUT
 */
int guest_link_suspend(struct guest_link *l);
/** Resume by the status byte: write DRIVER_OK, read until SUSPEND is gone. */
int guest_link_resume(struct guest_link *l);
/** Status byte by GET_STATUS, or -errno. */
int guest_link_status(struct guest_link *l);
/** Features that were negotiated. */
uint64_t guest_link_features(const struct guest_link *l);
/** GET_VRING_BASE answer of ring @p vq from the last guest_link_stop(). */
uint32_t guest_link_base(const struct guest_link *l, uint16_t vq);
/**
 * Have the device's state written, as QEMU does: after guest_link_stop(), by
 * SET_DEVICE_STATE_FD and CHECK_DEVICE_STATE.
 * @param bytes written: the state, to be freed; NULL if the device has none
 */
int guest_link_state_save(struct guest_link *l, void **bytes, size_t *len);
/** Have the device read its state: after guest_link_open(), before guest_link_negotiate(). */
int guest_link_state_load(struct guest_link *l, const void *bytes, size_t len);
/** Set base @p num for ring @p vq, sent by the next guest_link_prepare(). */
void guest_link_set_base(struct guest_link *l, uint16_t vq, uint32_t num);

/*
 * What a device does between taking a buffer and using it, done to the rings of a device that
 * is stopped: the next device gets them with buffers in flight.
 */

/** A place in a ring; split: free running, without wrap counter. */
struct guest_pos {
	uint16_t idx;
	bool wrap;
};

/** A buffer that was taken and not used. */
struct guest_held {
	/** Split: head descriptor. Packed: ring position of the first descriptor. */
	uint16_t head;
	/** Split: head. Packed: buffer ID. */
	uint16_t id;
	/** Descriptors in the ring; split: 1. */
	uint16_t num;
};

/** A descriptor of a packed ring, without the flags that say whose it is. */
struct guest_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t id, flags;
};

/** Longest frame, virtio header included, that guest_hold_fill_frame() takes. */
#define GUEST_HOLD_FRAME_MAX 2048

/** Take the next buffer of virtqueue @p vq at @p avail, which moves on; false if there is none. */
bool guest_hold_take(struct guest *g, uint16_t vq, struct guest_pos *avail,
		struct guest_held *held);
/** Descriptor @p n of a buffer that was just taken from a packed ring. */
void guest_hold_desc(struct guest *g, uint16_t vq, const struct guest_held *held, uint16_t n,
		struct guest_desc *desc);
/**
 * Fill a receive buffer: with a copy of a frame that was sent on the next virtqueue, or with
 * one that counts for nothing. The length, or 0 if it cannot be done.
 */
uint32_t guest_hold_fill_frame(struct guest *g, uint16_t vq, const struct guest_held *held,
		const struct guest_held *sent);
uint32_t guest_hold_fill_foreign(struct guest *g, uint16_t vq, const struct guest_held *held);
/** Use a buffer of which @p len bytes were written, at @p used, which moves on. */
void guest_hold_use(struct guest *g, uint16_t vq, struct guest_pos *used,
		const struct guest_held *held, uint32_t len);
/**
 * Where a stopped device has used virtqueue @p vq up to.
 * @param base its answer to GET_VRING_BASE
 * @param descs descriptors (split: buffers) that it holds, up to there
 */
struct guest_pos guest_hold_used(struct guest *g, uint16_t vq, uint32_t base, uint32_t descs);
/**
 * Buffers that the in-flight region says a device holds, in the order taken, @p max at most.
 * The position of a packed one in the ring is not known.
 */
uint16_t guest_inflight_read(struct guest *g, uint16_t vq, struct guest_held *held,
		uint64_t *counter, uint16_t max);
/** Note a buffer that was just taken in the in-flight region. 0, -ENOTCONN, -EPROTO */
int guest_inflight_mark(struct guest *g, uint16_t vq, const struct guest_held *held,
		uint64_t counter);
/** Wait until the driver has taken back all up to @p used, where the device stands; -ETIMEDOUT */
int guest_hold_await(struct guest *g, uint16_t vq, const struct guest_pos *used, int timeout_ms);
/**
 * From @p used on, where the stopped device stands, @p nb buffers must be used in this order;
 * another one is counted as corrupted. Waits until the driver has taken back all before it.
 * @return 0, -ETIMEDOUT
 */
int guest_hold_expect(struct guest *g, uint16_t vq, const struct guest_pos *used,
		const struct guest_held *held, uint16_t nb, int timeout_ms);
/** How many of those have not been used yet. */
uint16_t guest_hold_left(struct guest *g, uint16_t vq);
/** Expect nothing any more. */
void guest_hold_forget(struct guest *g, uint16_t vq);

/** Start the traffic thread: every pair sends numbered frames and checks what comes back. */
int guest_traffic_start(struct guest *g);
/**
 * Stop sending, wait for what is on its way until nothing has moved for @p drain_ms, join the
 * thread.
 * Frames still missing count as lost.
 */
int guest_traffic_stop(struct guest *g, int drain_ms);
/** Sum over the pairs; may be called while traffic runs. */
void guest_counts_get(struct guest *g, struct guest_counts *sum);
void guest_pair_counts_get(struct guest *g, uint16_t pair, struct guest_counts *counts);

/** Sleep until the device calls when there is nothing to do; off: poll, and want no calls. */
void guest_use_calls(struct guest *g, bool on);
void guest_notify_get(struct guest *g, struct guest_notify *n);

/** Begin to watch for the longest gap in arrivals of any pair (the blackout). */
void guest_gap_start(struct guest *g);
/**
 * End a watch and begin the next one, to which a gap that has begun belongs with all of it.
 * @return longest gap that ended in the one before, in ns
 */
uint64_t guest_gap_next(struct guest *g);
/**
 * Wait until every pair received a frame that was handed to the device after this call.
 * @param timeout_ms longest time in which the pair that is waited for receives nothing
 */
int guest_wait_flow(struct guest *g, int timeout_ms);
/** Longest gap since guest_gap_start(), in ns. */
uint64_t guest_gap_stop(struct guest *g);

#endif /* GUEST_H */
