/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef GUEST_TRAFFIC_H
#define GUEST_TRAFFIC_H

/**
 * @file
 * The guest's traffic: a thread sends numbered frames on every queue pair and checks what comes
 * back.
 */

#include <stdbool.h>
#include <stdint.h>

struct guest;

/** Counts of one queue pair or, summed, of a guest. */
struct guest_counts {
	uint64_t sent, received;
	uint64_t lost, duplicated, reordered, corrupted;
	/** Receive buffers that came back empty. Also corrupted, unless back ends may crash. */
	uint64_t empty;
	/** Longest time without a received frame while frames were on their way, ns. */
	uint64_t gap_max_ns;
};

/** Notifications of a guest, all links together. */
struct guest_notify {
	/** Kicks that were sent: those that the device asked for, and those after DRIVER_OK. */
	uint64_t kicks;
	/** Calls received; close to none unless guest_use_calls() is on. */
	uint64_t calls;
	/** Calls that the driver had asked for and that did not come. */
	uint64_t calls_missed;
};

/** Start the traffic thread. @return 0, -EALREADY, -ENOTCONN (no link yet), -errno */
int guest_traffic_start(struct guest *g);
/**
 * Stop sending, wait until no frame has arrived for @p drain_ms, and join the thread. Frames that
 * are still missing count as lost.
 */
int guest_traffic_stop(struct guest *g, int drain_ms);
/** Make all receive buffers available. For the first link, before the thread starts. */
void guest_traffic_fill(struct guest *g);
/** Sum of the counts of all pairs. May be called while traffic runs. */
void guest_counts_get(struct guest *g, struct guest_counts *sum);
/** Counts of one pair. May be called while traffic runs. */
void guest_pair_counts_get(struct guest *g, uint16_t pair, struct guest_counts *counts);

/** On: sleep until the device calls when there is no work. Off: poll, and ask for no calls. */
void guest_use_calls(struct guest *g, bool on);
/** Read the notification counts. */
void guest_notify_get(struct guest *g, struct guest_notify *n);

/** Start to measure the longest gap in the arrivals of any pair (the blackout). */
void guest_gap_start(struct guest *g);
/**
 * End one measurement and start the next. A gap that has begun belongs to the next one, with its
 * whole length.
 * @return longest gap that ended in the finished measurement, ns
 */
uint64_t guest_gap_next(struct guest *g);
/** Longest gap since guest_gap_start(), ns. A gap that has not ended yet counts. */
uint64_t guest_gap_stop(struct guest *g);
/**
 * Wait until every pair received a frame that was given to the device after this call.
 * @param timeout_ms longest time in which one pair may receive nothing
 * @return 0, -ETIMEDOUT, -EINVAL (traffic does not run)
 */
int guest_wait_flow(struct guest *g, int timeout_ms);

/** Pause @p pair: it sends no more, and its frames have come back. @return 0, -ETIMEDOUT */
int guest_pair_pause(struct guest *g, uint16_t pair, int timeout_ms);
/** Let @p pair send again. */
void guest_pair_resume(struct guest *g, uint16_t pair);

#endif /* GUEST_TRAFFIC_H */
