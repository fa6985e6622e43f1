/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef HOSTILE_ENV_H
#define HOSTILE_ENV_H

/**
 * @file
 * The guest of a hostile case: two queue pairs. Pair 0 misbehaves, pair 1 is the witness.
 */

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/virtio_net.h>

#include <rte_common.h>

#include "guest_features.h"
#include "guest_mem.h"
#include "hostile.h"
#include "hostile_setup.h"
#include "reason.h"
#include "vhost_user_fe.h"

/** Most descriptors of an attack. */
#define HOSTILE_DESCS 64
/** Ring size of a hostile guest. */
#define HOSTILE_RING 64
#define HOSTILE_RX 0
#define HOSTILE_TX 1

struct guest;
struct guest_link;
struct guest_pair;
struct hostile_conf;
struct hostile_usage;
struct hostile_witness;

struct hostile_env {
	const struct hostile_conf *conf;
	bool packed;
	/** The second device, and what the back end's process used before; NULL: not known. */
	struct hostile_witness *witness;
	const struct hostile_usage *before;
	/** The back end's process; 0: not known. */
	pid_t pid;
	/** The back end closed the connection during its set-up. */
	bool refused;
	/** A connection without a guest, and what it was set up with. */
	struct vu_fe wire;
	struct hostile_setup setup;
	bool has_setup;
	struct guest *g;
	struct guest_link *l;
	/** Pair 0, without traffic. */
	struct guest_pair *p;
	/** A frame in the first transmit buffer, with its header, and its length. */
	uint64_t frame_gpa;
	uint32_t frame_len;
	/** Memory of pair 0 that the device may write. */
	struct guest_mem_range lent[HOSTILE_DESCS + 16];
	uint32_t nb_lent;
	/** Memory of pair 0 at the time of the attack. */
	uint8_t *snapshot;
	/** The guest's ends of descriptors that the back end got; open until the verdict. */
	int kept_fds[2];
	uint32_t nb_kept;
	/** Split: next free descriptor of the two rings. */
	uint16_t base[2];
	/** What the back end did, and what is wrong, as text. */
	char did[80], why[240];
};

/** Features of an ordinary hostile guest. */
#define HOSTILE_FEATURES (GUEST_FEATURES_DEFAULT | (1ull << VIRTIO_NET_F_CSUM) | \
	(1ull << VIRTIO_NET_F_GUEST_CSUM) | (1ull << VIRTIO_NET_F_HOST_TSO4) | \
	(1ull << VIRTIO_NET_F_HOST_TSO6) | (1ull << VIRTIO_NET_F_HOST_UFO) | \
	(1ull << VIRTIO_NET_F_HOST_ECN))
/** Longest time in ms without progress: on a loaded machine a thread may not run for seconds. */
#define HOSTILE_FLOW_MS 10000
/** Time in us that the back end gets to process the attack. */
#define HOSTILE_SETTLE_US 30000

/** Record what is wrong. Only the first reason is kept. @return -EPROTO */
#define hostile_fail(e, ...) \
	reason_keep(-EPROTO, (e)->why, sizeof((e)->why), __VA_ARGS__)
/** Allow the device to write @p len bytes at @p gpa. */
void hostile_lend(struct hostile_env *e, uint64_t gpa, uint64_t len);
/** First address behind the regions that are contiguous. */
uint64_t hostile_end_of_memory(const struct hostile_env *e);
/** An address in the hole between two regions. */
uint64_t hostile_hole(const struct hostile_env *e);
/** An address in pair 0's transmit buffers, free for the attack. */
uint64_t hostile_scratch(const struct hostile_env *e);

/**
 * Open e->wire, a connection without a guest. A refusal is repeated for five seconds.
 * @param ready set the device up and let both rings of a pair run
 */
int hostile_wire_open(struct hostile_env *e, bool ready);
void hostile_wire_close(struct hostile_env *e);
/**
 * While the attack lasts: the second device must answer GET_FEATURES and GET_VRING_BASE, and its
 * rings must run. @return 0 or -EPROTO
 */
int hostile_bystander(struct hostile_env *e);

/** Connect a guest with @p features and wait until its frames flow. @return 0 or -EPROTO */
int hostile_open(struct hostile_env *e, uint64_t features);
void hostile_close(struct hostile_env *e);
/** Take pair 0 out of traffic and put a frame into its first transmit buffer. */
int hostile_take_pair(struct hostile_env *e, bool empty_rx);
/** Send the frame, as an honest guest does. */
void hostile_send_frame(struct hostile_env *e);
/** Check that no frame of @p pair was lost, duplicated, reordered or corrupted. */
int hostile_check_counts(struct hostile_env *e, uint16_t pair);
/**
 * Check that the back end serves a new connection. A refusal is repeated for five seconds.
 * @param when text at the begin of the reason of a failure
 * @param during called with @p e while the new connection is open, which must still be served
 *   after that; may be NULL
 */
int hostile_fresh(struct hostile_env *e, const char *when, void (*during)(struct hostile_env *e));

#endif /* HOSTILE_ENV_H */
