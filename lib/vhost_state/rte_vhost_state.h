/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef _RTE_VHOST_STATE_H_
#define _RTE_VHOST_STATE_H_

/**
 * @file
 * RTE vhost state
 *
 * What the state of a virtio device is, in which order it may be read and
 * written, how it is put into bytes, and how an application reaches a device
 * that has such a state. The library starts no thread and knows no driver.
 *
 * The idea is the virtio-comment thread "Virtqueue state synchronization"
 * (July 2021). Today's names are VIRTIO 1.4's: suspend (section "Device
 * Suspend") and device parts (section "Device parts").
 *
 * Terms:
 * - *available index*: next entry of the available ring that the device reads.
 *   Split: free running, 16 bits. Packed: 0 .. size - 1, with a wrap counter.
 * - *used index*: next entry of the used ring that the device writes.
 *   The same ranges.
 * - *in flight*: taken from the available ring, not yet written to the used one.
 *
 * Status machine, as seen by this library:
 *
 *            ACKNOWLEDGE, DRIVER       FEATURES_OK            DRIVER_OK
 *   reset ------------------> driver ---------> configurable ---------> running
 *     ^                                          | restore()            |    ^
 *     |                                          v                suspend()  |
 *     |                                         (same)                  v    | resume()
 *     +--------------- reset, from any state ----------------------- suspended
 *                                                                 | capture()
 *                                                                 v
 *                                                               (same)
 *
 * All functions return 0 or a negative errno, and those that return a pointer
 * return NULL and set rte_errno, unless they say otherwise.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <rte_common.h>
#include <rte_compat.h>
#include <rte_ether.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Most virtqueues in one state: 128 queue pairs and a control virtqueue. */
#define RTE_VHOST_STATE_MAX_VQ 257
/** Largest virtqueue size (VIRTIO 1.x "Virtqueues"). */
#define RTE_VHOST_STATE_MAX_VQ_SIZE 32768
/** Longest name of a registered device, with its terminating zero. */
#define RTE_VHOST_STATE_NAME_SIZE 64
/** Room for the data of a device class in a state, in words of 8 bytes. */
#define RTE_VHOST_STATE_CLASS_WORDS 16
/** Version of the byte format that this library writes. */
#define RTE_VHOST_STATE_FORMAT_VERSION 1

/** Device status bits (VIRTIO 1.4 "Device Status Field"). */
#define RTE_VHOST_STATE_S_ACKNOWLEDGE	0x01
#define RTE_VHOST_STATE_S_DRIVER	0x02
#define RTE_VHOST_STATE_S_DRIVER_OK	0x04
#define RTE_VHOST_STATE_S_FEATURES_OK	0x08
#define RTE_VHOST_STATE_S_SUSPEND	0x10
#define RTE_VHOST_STATE_S_NEEDS_RESET	0x40
#define RTE_VHOST_STATE_S_FAILED	0x80

/** VIRTIO_F_SUSPEND (VIRTIO 1.4). */
#define RTE_VHOST_STATE_F_SUSPEND 43

/** Virtio device IDs for struct rte_vhost_state::device_id. */
#define RTE_VHOST_STATE_ID_NET 1

/**
 * Why a state or a request was refused: name, errno, text.
 * One list feeds the enum, the counters, the logs and the tool.
 */
#define RTE_VHOST_STATE_REASONS(X) \
	X(NONE, 0, "no error") \
	/* order */ \
	X(NOT_SUSPENDED, EBUSY, "state is read only while the device is suspended") \
	X(NOT_RUNNING, EAGAIN, "only a device with DRIVER_OK can be suspended") \
	X(NOT_CONFIGURABLE, EBUSY, "state is written only after FEATURES_OK and before DRIVER_OK") \
	X(STATUS_ILLEGAL, EINVAL, "status bits set out of order, or cleared without a reset") \
	X(NEEDS_RESET, EIO, "device needs a reset") \
	X(TIMEOUT, ETIMEDOUT, "a queue did not come to rest in time") \
	X(NOT_CONNECTED, ENOTCONN, "no front end is connected") \
	X(NO_DEVICE, ENODEV, "no device of this name") \
	/* bytes */ \
	X(TRUNCATED, EBADMSG, "state ends too early") \
	X(TRAILING_BYTES, EBADMSG, "bytes after the end of the state") \
	X(BAD_MAGIC, EBADMSG, "not a vhost state") \
	X(BAD_VERSION, EPROTONOSUPPORT, "state of a newer format version") \
	X(BAD_CHECKSUM, EBADMSG, "checksum does not match") \
	X(BAD_HEADER, EBADMSG, "header field has an illegal value") \
	X(PART_UNKNOWN, EPROTONOSUPPORT, "unknown mandatory part") \
	X(PART_LENGTH, EBADMSG, "part has a wrong length") \
	X(PART_ORDER, EBADMSG, "part is out of order") \
	X(PART_DUPLICATE, EBADMSG, "part stands twice") \
	X(PART_MISSING, EBADMSG, "mandatory part is missing") \
	X(PART_RESERVED, EBADMSG, "reserved field of a part is not zero") \
	/* self consistency */ \
	X(DEVICE_ID, EINVAL, "unknown device class") \
	X(FEATURES_NOT_OFFERED, EINVAL, "negotiated features were never offered") \
	X(STATUS, EINVAL, "device status is not one that a saved device can have") \
	X(VQ_COUNT, EINVAL, "number of virtqueues out of range") \
	X(VQ_INDEX, EINVAL, "virtqueue index out of range") \
	X(VQ_SIZE, EINVAL, "virtqueue size out of range, or not a power of two for a split ring") \
	X(VQ_ADDRESS, EINVAL, "virtqueue address not aligned, or wraps around") \
	X(VQ_IDX_RANGE, EINVAL, "packed index not below the virtqueue size") \
	X(VQ_WRAP, EINVAL, "wrap counter neither 0 nor 1, or set for a split ring") \
	X(VQ_IDX_DISTANCE, EINVAL, "available index more than the virtqueue size ahead of used") \
	X(INFLIGHT_COUNT, EINVAL, "in-flight entries do not account for available minus used") \
	X(INFLIGHT_HEAD, EINVAL, "in-flight head out of range, or not the id of a split ring") \
	X(INFLIGHT_DUPLICATE, EINVAL, "in-flight buffer or counter stands twice") \
	X(INFLIGHT_ORDER, EINVAL, "in-flight entries are not in the order taken") \
	X(INFLIGHT_DESC_COUNT, EINVAL, "in-flight descriptors are not those of the entries") \
	X(INFLIGHT_DESC_FLAGS, EINVAL, "in-flight descriptor has a flag that its place forbids") \
	X(INFLIGHT_DESC_ID, EINVAL, "last in-flight descriptor of a buffer has another id") \
	X(NET_MAC, EINVAL, "MAC address is not a unicast one") \
	X(NET_MTU, EINVAL, "MTU out of range") \
	X(NET_QUEUE_PAIRS, EINVAL, "active queue pairs out of range") \
	X(NET_OFFLOADS, EINVAL, "guest offloads in force that were not negotiated") \
	/* fit to a destination */ \
	X(FIT_DEVICE_ID, EXDEV, "state of another device class") \
	X(FIT_FEATURES, EXDEV, "state needs a feature that this device does not offer") \
	X(FIT_NEGOTIATED, EXDEV, "front end negotiated other features than the state has") \
	X(FIT_VQ_COUNT, EXDEV, "state has more virtqueues than this device") \
	X(FIT_VQ_SIZE, EXDEV, "virtqueue size differs from what the front end set up") \
	X(FIT_VQ_ADDRESS, EXDEV, "virtqueue addresses differ from what the front end set up") \
	X(FIT_INFLIGHT, EXDEV, "this device cannot take over in-flight buffers") \
	X(FIT_INFLIGHT_DESCS, EXDEV, "in-flight buffers of a packed ring lack their descriptors") \
	X(FIT_MTU, EXDEV, "state has a larger MTU than this device") \
	/* carriers */ \
	X(IO, EIO, "reading or writing the state failed") \
	X(NO_MEMORY, ENOMEM, "out of memory") \
	X(NO_SPACE, ENOSPC, "buffer too small")

/** Reasons for a refusal. */
enum rte_vhost_state_reason {
#define RTE_VHOST_STATE_REASON_ENUM(name, err, text) RTE_VHOST_STATE_R_##name,
	RTE_VHOST_STATE_REASONS(RTE_VHOST_STATE_REASON_ENUM)
#undef RTE_VHOST_STATE_REASON_ENUM
	RTE_VHOST_STATE_R_MAX
};

/** What was refused, where, and what was expected. */
struct rte_vhost_state_error {
	enum rte_vhost_state_reason reason;
	/** Virtqueue index, or -1 where the error is not one of a virtqueue. */
	int vq;
	/** Byte offset in the encoded state, or -1 where there is none. */
	int64_t offset;
	/** The value that was expected, or the limit that was passed. */
	uint64_t expected;
	/** The value that was found. */
	uint64_t found;
};

/**
 * A buffer that the device has taken and not yet used.
 *
 * The id tells the buffers of a virtqueue apart. In a packed ring heads may coincide: a buffer
 * that is completed early gives its position back, and a later one may be made available there.
 */
struct rte_vhost_state_inflight {
	/** Split: head descriptor. Packed: ring position of the first descriptor. 0 .. size - 1. */
	uint16_t head;
	/** Split: equal to head. Packed: buffer ID. */
	uint16_t id;
	/** Descriptors of the chain in the ring, 1 .. size. Split: 1. */
	uint16_t num;
	/** Order in which the buffers were taken, unique in the virtqueue. */
	uint64_t counter;
};

/** Flags that a descriptor of a buffer in flight may have (VIRTIO "Virtqueues"). */
#define RTE_VHOST_STATE_DESC_F_NEXT	0x0001
#define RTE_VHOST_STATE_DESC_F_WRITE	0x0002
#define RTE_VHOST_STATE_DESC_F_INDIRECT	0x0004

/**
 * A descriptor of a buffer in flight, as the device read it from a packed ring.
 *
 * A split ring keeps the descriptors of a buffer until it is used. In a packed ring a buffer that
 * is completed out of order is written over the descriptors of one that is not, so the state is
 * the only place where these still stand.
 */
struct rte_vhost_state_desc {
	/** Guest physical address; of a table if INDIRECT is set. */
	uint64_t addr;
	/** Length in bytes. */
	uint32_t len;
	/** In the last descriptor of a buffer its id; in others whatever the driver wrote. */
	uint16_t id;
	/**
	 * RTE_VHOST_STATE_DESC_F_*, no others. NEXT in all but the last descriptor of a buffer;
	 * INDIRECT only where a buffer has one descriptor.
	 */
	uint16_t flags;
};

/** Statistics of a virtqueue; free running, restored only for continuity. */
struct rte_vhost_state_vq_stats {
	uint64_t packets;
	uint64_t bytes;
};

/** State of one virtqueue. */
struct rte_vhost_state_vq {
	/**
	 * Number of descriptors, 1 .. 32768; split: a power of two. 0: the driver never set up
	 * the virtqueue; every other field is then zero.
	 */
	uint16_t size;
	/** Ring set up by the driver and processed by the device. */
	bool enabled;
	/** Guest physical addresses of the three areas (VIRTIO "Virtqueue layout"). */
	uint64_t desc_addr, driver_addr, device_addr;
	/** Next available entry; see the terms above. */
	uint16_t avail_idx;
	/** Next used entry. */
	uint16_t used_idx;
	/** Packed: wrap counters, 0 or 1. Split: 0. */
	uint8_t avail_wrap, used_wrap;
	/** Event index: used index at the last notification; valid if signalled_valid. */
	uint16_t signalled_used;
	bool signalled_valid;
	/** A used notification was due when the device stopped, and is sent at resume. */
	bool notify_pending;
	/** Number of entries in @p inflight. */
	uint16_t nb_inflight;
	/** In-flight buffers in the order taken; NULL if there are none. */
	struct rte_vhost_state_inflight *inflight;
	/**
	 * Number of entries in @p inflight_descs. Packed: the sum of all num, or 0 where they were
	 * not recorded, which no destination takes over. Split: 0.
	 */
	uint32_t nb_inflight_descs;
	/** Packed: the num descriptors of each entry, in the order of the entries; else NULL. */
	struct rte_vhost_state_desc *inflight_descs;
	struct rte_vhost_state_vq_stats stats;
};

/** State of a network device beyond its queues. */
struct rte_vhost_state_net {
	struct rte_ether_addr mac;
	/** Largest MTU in bytes, 68 .. 65535. */
	uint16_t mtu;
	/** Link status and announce bits (VIRTIO_NET_S_*). */
	uint16_t status;
	/** Queue pairs the driver uses, 1 .. 128. */
	uint16_t active_pairs;
	/** VIRTIO_NET_CTRL_RX_* modes, one bit each in the order of the commands. */
	uint8_t rx_mode;
	/** Features in force for the guest's receive offloads (VIRTIO_NET_F_GUEST_*). */
	uint64_t guest_offloads;
};

/** State of one device. */
struct rte_vhost_state {
	/** Virtio device ID. */
	uint16_t device_id;
	/**
	 * Device status, RTE_VHOST_STATE_S_*. A captured device is suspended: ACKNOWLEDGE, DRIVER,
	 * FEATURES_OK and SUSPEND are set, DRIVER_OK is not; NEEDS_RESET and FAILED may be.
	 */
	uint8_t status;
	/** Features offered, and features negotiated. */
	uint64_t device_features, driver_features;
	/**
	 * Data of the device class: the member that belongs to device_id.
	 *
	 * A new class adds a member here, of a type without pointers, that fits into
	 * class_data. The size of this structure and the other members then stay as they are.
	 */
	__extension__ union {
		/** Network device, RTE_VHOST_STATE_ID_NET. */
		struct rte_vhost_state_net net;
		/** Room for every class. */
		uint64_t class_data[RTE_VHOST_STATE_CLASS_WORDS];
	};
	/** Number of entries in @p vqs, 1 .. RTE_VHOST_STATE_MAX_VQ. */
	uint16_t nb_vqs;
	/** Virtqueues by index. */
	struct rte_vhost_state_vq *vqs;
};

/** What a destination offers, for rte_vhost_state_check_fit(). */
struct rte_vhost_state_limits {
	uint16_t device_id;
	uint64_t device_features;
	/** Features that the front end negotiated with the destination; 0: not known. */
	uint64_t driver_features;
	uint16_t max_vqs;
	uint16_t max_mtu;
	/** The device finishes in-flight buffers of a source. */
	bool inflight;
};

/* ---- model ---- */

/**
 * Allocate a state with all fields zero.
 * @param nb_vqs 1 .. RTE_VHOST_STATE_MAX_VQ
 * @return the state; NULL with rte_errno EINVAL or ENOMEM
 */
__rte_experimental
struct rte_vhost_state *rte_vhost_state_alloc(uint16_t nb_vqs);

/** Give virtqueue @p vq of @p st room for @p nb in-flight entries (0: none), all zero. */
__rte_experimental
int rte_vhost_state_vq_inflight_alloc(struct rte_vhost_state *st, uint16_t vq, uint16_t nb);

/** Give virtqueue @p vq of @p st room for @p nb in-flight descriptors (0: none), all zero. */
__rte_experimental
int rte_vhost_state_vq_inflight_descs_alloc(struct rte_vhost_state *st, uint16_t vq, uint32_t nb);

/** Deep copy; NULL with rte_errno ENOMEM. */
__rte_experimental
struct rte_vhost_state *rte_vhost_state_copy(const struct rte_vhost_state *st);

/** Free a state; NULL is ignored. */
__rte_experimental
void rte_vhost_state_free(struct rte_vhost_state *st);

/** True if both have the same value in every field. */
__rte_experimental
bool rte_vhost_state_equal(const struct rte_vhost_state *a, const struct rte_vhost_state *b);

/** True if the state is one of packed rings (VIRTIO_F_RING_PACKED negotiated). */
__rte_experimental
bool rte_vhost_state_is_packed(const struct rte_vhost_state *st);

/* ---- bytes ---- */

/** Bytes that rte_vhost_state_encode() needs for @p st. */
__rte_experimental
size_t rte_vhost_state_encoded_size(const struct rte_vhost_state *st);

/**
 * Validate @p st and write it to @p buf.
 * @param len written: number of bytes
 * @param err may be NULL
 * @return 0, or -errno of the reason in @p err
 */
__rte_experimental
int rte_vhost_state_encode(const struct rte_vhost_state *st, void *buf, size_t size, size_t *len,
		struct rte_vhost_state_error *err);

/**
 * Read a state from bytes that nobody vouches for, and validate it.
 * @return the state, to be freed; NULL with rte_errno and the reason in @p err (may be NULL)
 */
__rte_experimental
struct rte_vhost_state *rte_vhost_state_decode(const void *buf, size_t len,
		struct rte_vhost_state_error *err);

/** Save to a file with mode 0600, written whole or not at all. */
__rte_experimental
int rte_vhost_state_save(const struct rte_vhost_state *st, const char *path,
		struct rte_vhost_state_error *err);

/** Load from a file; as rte_vhost_state_decode(). */
__rte_experimental
struct rte_vhost_state *rte_vhost_state_load(const char *path, struct rte_vhost_state_error *err);

/** Write to a file descriptor, until done. */
__rte_experimental
int rte_vhost_state_write(const struct rte_vhost_state *st, int fd,
		struct rte_vhost_state_error *err);

/** Read from a file descriptor until the end that the header announces. */
__rte_experimental
struct rte_vhost_state *rte_vhost_state_read(int fd, struct rte_vhost_state_error *err);

/* ---- checks ---- */

/** Check that @p st is consistent in itself. Changes nothing. */
__rte_experimental
int rte_vhost_state_validate(const struct rte_vhost_state *st, struct rte_vhost_state_error *err);

/** Check that a destination with @p lim can take @p st. Changes nothing. */
__rte_experimental
int rte_vhost_state_check_fit(const struct rte_vhost_state *st,
		const struct rte_vhost_state_limits *lim, struct rte_vhost_state_error *err);

/**
 * Check that virtqueue @p vq of @p st is the one that a front end set up at a destination: size
 * and addresses of @p found are those of the state. A virtqueue of size 0 in the state is one
 * that the driver never set up, and fits whatever the front end did with it. Changes nothing.
 */
__rte_experimental
int rte_vhost_state_check_vq(const struct rte_vhost_state *st, uint16_t vq,
		const struct rte_vhost_state_vq *found, struct rte_vhost_state_error *err);

/** What may be asked of a device. */
enum rte_vhost_state_action {
	RTE_VHOST_STATE_A_SUSPEND,
	RTE_VHOST_STATE_A_RESUME,
	RTE_VHOST_STATE_A_CAPTURE,
	RTE_VHOST_STATE_A_RESTORE,
};

/**
 * Whether @p action is legal for a device with status byte @p status.
 * Suspending a suspended device and resuming a running one are legal and do nothing.
 * NEEDS_RESET and FAILED do not keep a device from being stopped and captured, because a host
 * must always be able to move a guest; they keep it from taking over a state.
 * @return 0, or -errno of the reason in @p err (may be NULL)
 */
__rte_experimental
int rte_vhost_state_may(uint8_t status, enum rte_vhost_state_action action,
		struct rte_vhost_state_error *err);

/**
 * Whether a driver may write @p next over the status byte @p cur.
 * Writing 0 (reset) always is legal; bits are otherwise only added, in order, but for
 * SUSPEND, which needs DRIVER_OK and VIRTIO_F_SUSPEND in @p driver_features. NEEDS_RESET
 * belongs to the device: a driver may leave it out, and never sets or clears it.
 * @param result written: the status byte that the device shows when it has obeyed, which is
 *   @p cur if the write is refused
 */
__rte_experimental
int rte_vhost_state_status_write(uint8_t cur, uint8_t next, uint64_t driver_features,
		uint8_t *result, struct rte_vhost_state_error *err);

/* ---- reasons ---- */

/** Short name of a reason ("vq_wrap"), never NULL. */
__rte_experimental
const char *rte_vhost_state_reason_name(enum rte_vhost_state_reason reason);

/** Sentence for a reason, never NULL. */
__rte_experimental
const char *rte_vhost_state_reason_text(enum rte_vhost_state_reason reason);

/** Positive errno of a reason. */
__rte_experimental
int rte_vhost_state_reason_errno(enum rte_vhost_state_reason reason);

/** How often this process refused for @p reason. */
__rte_experimental
uint64_t rte_vhost_state_reason_count(enum rte_vhost_state_reason reason);

/**
 * Fill @p err (may be NULL), count the reason, return its -errno.
 * For back ends, so that all refusals are told and counted in one way.
 */
__rte_experimental
int rte_vhost_state_refuse(struct rte_vhost_state_error *err, enum rte_vhost_state_reason reason,
		int vq, uint64_t expected, uint64_t found);

/** Put an error into words, as snprintf() does. */
__rte_experimental
int rte_vhost_state_error_format(const struct rte_vhost_state_error *err, char *buf, size_t size);

/** Print a state for people, or as one JSON object. */
__rte_experimental
void rte_vhost_state_dump(const struct rte_vhost_state *st, FILE *f);
__rte_experimental
void rte_vhost_state_dump_json(const struct rte_vhost_state *st, FILE *f);

/* ---- back ends ---- */

/*
 * Thread-safety of this part: all functions may be called from any thread at any time, but an
 * operation must not unregister the device that it works on (it would wait for itself).
 */

/** Latencies that a back end measured of itself, in nanoseconds. */
struct rte_vhost_state_timing {
	uint64_t count;
	uint64_t last_ns;
	uint64_t max_ns;
	uint64_t sum_ns;
};

/** What a back end tells of itself. */
struct rte_vhost_state_info {
	uint8_t status;
	bool connected;
	struct rte_vhost_state_limits limits;
	struct rte_vhost_state_timing suspend, capture, restore, resume;
};

/**
 * Operations by which a back end lends its devices to this library.
 * Each is called from any thread that may block, several at a time; each checks the
 * order by rte_vhost_state_may() and has no effect if it is refused.
 */
struct rte_vhost_state_ops {
	/** Tell status, limits and timings. Mandatory. */
	int (*info_get)(void *ctx, struct rte_vhost_state_info *info);
	/** Stop all virtqueues at one instant, within @p timeout_us. Mandatory. */
	int (*suspend)(void *ctx, uint32_t timeout_us, struct rte_vhost_state_error *err);
	/** Go on where suspend stopped. Mandatory. */
	int (*resume)(void *ctx, struct rte_vhost_state_error *err);
	/** Copy the state of a suspended device; NULL with the reason in err. Mandatory. */
	struct rte_vhost_state *(*capture)(void *ctx, struct rte_vhost_state_error *err);
	/** Take over a state that is validated already; it takes effect at DRIVER_OK. Mandatory. */
	int (*restore)(void *ctx, const struct rte_vhost_state *st,
			struct rte_vhost_state_error *err);
};

/**
 * Make a device known by a name.
 * @return 0, -EEXIST, -EINVAL (an operation is missing, bad name), -ENOMEM
 */
__rte_experimental
int rte_vhost_state_register(const char *name, const struct rte_vhost_state_ops *ops, void *ctx);

/** Forget a device. Waits for the operations under way on it. */
__rte_experimental
int rte_vhost_state_unregister(const char *name);

/**
 * Walk the devices in the order they were registered.
 * @param pos 0 for the first
 * @return 0 with the name copied, -ENOENT past the last
 */
__rte_experimental
int rte_vhost_state_name_get(unsigned int pos, char name[RTE_VHOST_STATE_NAME_SIZE]);

/**
 * The five operations, by name of the device. -ENODEV where there is none.
 * @{
 */
__rte_experimental
int rte_vhost_state_info_get(const char *name, struct rte_vhost_state_info *info);

/** @param timeout_us bound of the wait; 0: the back end's default */
__rte_experimental
int rte_vhost_state_suspend(const char *name, uint32_t timeout_us,
		struct rte_vhost_state_error *err);

__rte_experimental
int rte_vhost_state_resume(const char *name, struct rte_vhost_state_error *err);

__rte_experimental
struct rte_vhost_state *rte_vhost_state_capture(const char *name,
		struct rte_vhost_state_error *err);

/** Validates @p st, then hands it to the back end. */
__rte_experimental
int rte_vhost_state_restore(const char *name, const struct rte_vhost_state *st,
		struct rte_vhost_state_error *err);
/** @} */

#ifdef __cplusplus
}
#endif

#endif /* _RTE_VHOST_STATE_H_ */
