/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef _RTE_VHOST_STATE_H_
#define _RTE_VHOST_STATE_H_

/**
 * @file
 * RTE vhost state
 *
 * This library defines the state of a virtio device: its model, the order in
 * which it may be captured and restored, its byte format and its checks.
 * The data of each device class is in rte_vhost_state_class.h.
 * The library knows no driver. Applications reach a device with such a state by
 * name: rte_vhost_state_backend.h. Other processes of the same user do so by a
 * control socket, for which alone the library starts threads:
 * rte_vhost_state_control.h.
 *
 * The idea is from the virtio-comment thread "Virtqueue state synchronization"
 * (July 2021). The names are those of VIRTIO 1.4: suspend (section "Device
 * Suspend") and device parts (section "Device parts").
 *
 * Terms:
 * - *available index*: next entry of the available ring that the device reads.
 *   Split: runs freely over 16 bits. Packed: 0 .. size - 1, with a wrap counter.
 * - *used index*: next entry of the used ring that the device writes. It has the
 *   ranges of the available index.
 * - *in flight*: a buffer that the device has dequeued from the available ring
 *   and not yet written to the used ring.
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
 * Unless a function says otherwise, it returns 0 or a negative errno. A function
 * that returns a pointer returns NULL on error and sets rte_errno.
 *
 * Thread-safety: several threads may read one state at a time. A thread that
 * changes or frees a state must be the only one that uses it; the library has
 * no lock for states. All other data of the library is thread-safe.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <rte_common.h>
#include <rte_compat.h>

#include "rte_vhost_state_class.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Largest number of virtqueues in a state: 128 queue pairs and a control virtqueue. */
#define RTE_VHOST_STATE_MAX_VQ 257
/** Largest virtqueue size in descriptors (VIRTIO 1.4 "Virtqueues"). */
#define RTE_VHOST_STATE_MAX_VQ_SIZE 32768
/** Size in bytes of the longest name of a registered device, with its terminating zero. */
#define RTE_VHOST_STATE_NAME_SIZE 64
/** Room for the data of a device class in a state, in words of 8 bytes. */
#define RTE_VHOST_STATE_CLASS_WORDS 2240
/** Version of the byte format that this library writes. It reads this and all earlier ones. */
#define RTE_VHOST_STATE_FORMAT_VERSION 1

/**
 * @name Device status bits (VIRTIO 1.4 "Device Status Field")
 */
/**@{*/
/** The driver found the device. */
#define RTE_VHOST_STATE_S_ACKNOWLEDGE	0x01
/** The driver can drive the device. */
#define RTE_VHOST_STATE_S_DRIVER	0x02
/** The driver set the device up; the device is live. */
#define RTE_VHOST_STATE_S_DRIVER_OK	0x04
/** Features are negotiated. */
#define RTE_VHOST_STATE_S_FEATURES_OK	0x08
/** The device is suspended. */
#define RTE_VHOST_STATE_S_SUSPEND	0x10
/** The device cannot continue; set by the device. */
#define RTE_VHOST_STATE_S_NEEDS_RESET	0x40
/** The driver gave the device up. */
#define RTE_VHOST_STATE_S_FAILED	0x80
/**@}*/

/** VIRTIO_F_SUSPEND (VIRTIO 1.4). */
#define RTE_VHOST_STATE_F_SUSPEND 43

/**
 * List of the reasons why a state or a request is refused: name, errno, text.
 * The enum, the counters, the logs and dpdk-test-vdpa are made from this list.
 * A new reason is appended to its group, and to the table of the library's guide.
 */
#define RTE_VHOST_STATE_REASONS(X) \
	X(NONE, 0, "no error") \
	/* order */ \
	X(NOT_SUSPENDED, EBUSY, "state is read only while the device is suspended") \
	X(NOT_RUNNING, EAGAIN, "only a device with DRIVER_OK can be suspended") \
	X(NOT_CONFIGURABLE, EBUSY, "state is written only after FEATURES_OK and before DRIVER_OK") \
	X(STATUS_ILLEGAL, EINVAL, "status bits set out of order, or cleared without a reset") \
	X(NEEDS_RESET, EIO, "device needs a reset") \
	X(TIMEOUT, ETIMEDOUT, "a queue did not quiesce in time") \
	X(NOT_CONNECTED, ENOTCONN, "no front end is connected") \
	X(NO_DEVICE, ENODEV, "no device of this name") \
	X(NOT_SUPPORTED, ENOTSUP, "this device does not offer the operation") \
	X(UNDER_WAY, EALREADY, "this operation is under way on the device") \
	/* bytes */ \
	X(TRUNCATED, EBADMSG, "state ends too early") \
	X(TRAILING_BYTES, EBADMSG, "bytes after the end of the state") \
	X(BAD_MAGIC, EBADMSG, "not a vhost state") \
	X(BAD_VERSION, EPROTONOSUPPORT, "format version is newer than this library") \
	X(BAD_CHECKSUM, EBADMSG, "checksum does not match") \
	X(BAD_HEADER, EBADMSG, "header field has an illegal value") \
	X(PART_UNKNOWN, EPROTONOSUPPORT, "unknown mandatory part") \
	X(PART_LENGTH, EBADMSG, "part has a wrong length") \
	X(PART_ORDER, EBADMSG, "part is out of order") \
	X(PART_DUPLICATE, EBADMSG, "part occurs twice") \
	X(PART_MISSING, EBADMSG, "mandatory part is missing") \
	X(PART_RESERVED, EBADMSG, "reserved field of a part is not zero") \
	/* self consistency */ \
	X(DEVICE_ID, EINVAL, "unknown device class") \
	X(FEATURES_NOT_OFFERED, EINVAL, "negotiated features were never offered") \
	X(STATUS, EINVAL, "a saved device cannot have this device status") \
	X(VQ_COUNT, EINVAL, "number of virtqueues out of range") \
	X(VQ_INDEX, EINVAL, "virtqueue index out of range") \
	X(VQ_SIZE, EINVAL, "virtqueue size out of range, or not a power of two for a split ring") \
	X(VQ_ADDRESS, EINVAL, "virtqueue address not aligned, or wraps around") \
	X(VQ_IDX_RANGE, EINVAL, "packed index not below the virtqueue size") \
	X(VQ_WRAP, EINVAL, "wrap counter neither 0 nor 1, or set for a split ring") \
	X(VQ_IDX_DISTANCE, EINVAL, "available index more than the virtqueue size ahead of used") \
	X(INFLIGHT_COUNT, EINVAL, "in-flight entries do not add up to available minus used") \
	X(INFLIGHT_HEAD, EINVAL, "in-flight head out of range, or not the id of a split ring") \
	X(INFLIGHT_DUPLICATE, EINVAL, "in-flight buffer or counter occurs twice") \
	X(INFLIGHT_ORDER, EINVAL, "in-flight entries are not in dequeue order") \
	X(INFLIGHT_DESC_COUNT, EINVAL, "wrong number of in-flight descriptors") \
	X(INFLIGHT_DESC_FLAGS, EINVAL, "in-flight descriptor flag not allowed at its position") \
	X(INFLIGHT_DESC_ID, EINVAL, "last in-flight descriptor of a buffer has another id") \
	X(NET_MAC, EINVAL, "MAC address is not a unicast address") \
	X(NET_MTU, EINVAL, "MTU out of range") \
	X(NET_QUEUE_PAIRS, EINVAL, "active queue pairs out of range") \
	X(NET_OFFLOADS, EINVAL, "enabled guest offloads were not negotiated") \
	X(NET_CTRL_FEATURE, EINVAL, "control command needs a feature that was not negotiated") \
	X(NET_CTRL_VALUE, EINVAL, "control command has an illegal value, or contradicts the device") \
	X(BLK_BLOCK_SIZE, EINVAL, "block size not a power of two from 512 to 65536") \
	X(BLK_CAPACITY, EINVAL, "capacity zero, too large, or not a multiple of the block size") \
	X(BLK_FLAGS, EINVAL, "read-only or write cache flag neither 0 nor 1") \
	X(CONSOLE_PORTS, EINVAL, "number of ports of a console out of range") \
	X(CONSOLE_FLAGS, EINVAL, "unknown flag of a port, or a flag neither 0 nor 1") \
	X(CONSOLE_NAME, EINVAL, "port name not printable, or not padded with zeros") \
	X(CONSOLE_TRANSFER, EINVAL, "half transferred buffer is not the first one in flight") \
	X(CONSOLE_PENDING, EINVAL, "bytes for the guest of no port, out of order, or too many") \
	X(SCSI_SIZES, EINVAL, "size of sense data not from 1 to 252, or of a CDB not from 6 to 260") \
	X(SCSI_LUNS, EINVAL, "number of logical units out of range") \
	X(SCSI_FLAGS, EINVAL, "unknown unit attention of a logical unit, or event neither 0 nor 1") \
	X(SCSI_SERIAL, EINVAL, "serial number not printable, or not padded with zeros") \
	/* fit to a destination */ \
	X(FIT_DEVICE_ID, EXDEV, "device class of the state differs from that of this device") \
	X(FIT_FEATURES, EXDEV, "state needs a feature that this device does not offer") \
	X(FIT_NEGOTIATED, EXDEV, "front end negotiated other features than the state has") \
	X(FIT_VQ_COUNT, EXDEV, "state has more virtqueues than this device") \
	X(FIT_VQ_SIZE, EXDEV, "virtqueue size differs from what the front end set up") \
	X(FIT_VQ_ADDRESS, EXDEV, "virtqueue addresses differ from what the front end set up") \
	X(FIT_INFLIGHT, EXDEV, "this device does not accept in-flight buffers") \
	X(FIT_INFLIGHT_DESCS, EXDEV, "in-flight buffers of a packed ring lack their descriptors") \
	X(FIT_MTU, EXDEV, "state has a larger MTU than this device") \
	X(FIT_CTRL_VQ, EXDEV, "control virtqueue of the state has another index at this device") \
	X(FIT_BLK_CAPACITY, EXDEV, "disk of the state is larger than this device") \
	X(FIT_BLK_BLOCK_SIZE, EXDEV, "block size of the state differs from that of this device") \
	X(FIT_BLK_READ_ONLY, EXDEV, "one of state and device is read-only, the other one is not") \
	X(FIT_CONSOLE_PORTS, EXDEV, "number of ports of the state differs from that of this device") \
	X(FIT_SCSI_LUNS, EXDEV, "number of logical units differs from that of this device") \
	X(FIT_SCSI_SERIAL, EXDEV, "serial number of a logical unit differs from that of this device") \
	/* carriers */ \
	X(IO, EIO, "reading or writing the state failed") \
	X(NO_MEMORY, ENOMEM, "out of memory") \
	X(NO_SPACE, ENOSPC, "buffer too small")

/** Reason for a refusal. */
enum rte_vhost_state_reason {
/** One enumerator of the list of reasons. */
#define RTE_VHOST_STATE_REASON_ENUM(name, err, text) RTE_VHOST_STATE_R_##name,
	RTE_VHOST_STATE_REASONS(RTE_VHOST_STATE_REASON_ENUM)
#undef RTE_VHOST_STATE_REASON_ENUM
	RTE_VHOST_STATE_R_MAX
};

/** A refusal: the reason, the place and the values. */
struct rte_vhost_state_error {
	/** Why. */
	enum rte_vhost_state_reason reason;
	/** Virtqueue index, or -1 if the error does not concern a virtqueue. */
	int vq;
	/** Byte offset in the encoded state, or -1 if the error has none. */
	int64_t offset;
	/** Value that was expected, or limit that was exceeded. */
	uint64_t expected;
	/** Value that was found. For IO: the errno of the system call. */
	uint64_t found;
};

/**
 * A buffer in flight.
 *
 * The id identifies the buffer in its virtqueue. In a packed ring the head does not: a buffer that
 * is completed early frees its position, and the driver may make a later buffer available there.
 */
struct rte_vhost_state_inflight {
	/**
	 * Split: head descriptor. Packed: ring position of the first descriptor. Both are
	 * 0 .. size - 1.
	 */
	uint16_t head;
	/** Split: equal to head. Packed: buffer ID, any value. */
	uint16_t id;
	/** Number of descriptors of the chain in the ring, 1 .. size. Split: 1. */
	uint16_t num;
	/** Rises with every buffer that is dequeued from the virtqueue. */
	uint64_t counter;
};

/** Flags that a descriptor in flight may have (VIRTIO 1.4 "Packed Virtqueues"). */
#define RTE_VHOST_STATE_DESC_F_NEXT	0x0001
/** The device writes the buffer; otherwise it reads the buffer. */
#define RTE_VHOST_STATE_DESC_F_WRITE	0x0002
/** The buffer is a table of descriptors. */
#define RTE_VHOST_STATE_DESC_F_INDIRECT	0x0004

/**
 * A descriptor of a buffer in flight, as the device read it from a packed ring.
 *
 * A split ring keeps the descriptors of a buffer until the buffer is used. A packed ring does not:
 * if buffers complete out of order, used descriptors overwrite those of a buffer still in flight.
 * The state then has the only copy.
 */
struct rte_vhost_state_desc {
	/** Guest physical address of the data, or of a descriptor table if INDIRECT is set. */
	uint64_t addr;
	/** Length in bytes. */
	uint32_t len;
	/** Last descriptor of a buffer: buffer ID. Other descriptors: any value. */
	uint16_t id;
	/**
	 * RTE_VHOST_STATE_DESC_F_*, no other bits. NEXT is set in all but the last descriptor of
	 * a buffer. INDIRECT may be set only if the buffer has one descriptor.
	 */
	uint16_t flags;
};

/** Statistics of a virtqueue. They run freely over 64 bits and do not affect the device. */
struct rte_vhost_state_vq_stats {
	/** Number of packets or requests. */
	uint64_t packets;
	/** Number of payload bytes. */
	uint64_t bytes;
};

/** State of one virtqueue. */
struct rte_vhost_state_vq {
	/**
	 * Number of descriptors, 1 .. 32768. Split: a power of two. 0: the driver never set up
	 * the virtqueue, and all other fields are zero.
	 */
	uint16_t size;
	/** The driver has enabled the virtqueue. */
	bool enabled;
	/**
	 * Guest physical address of the descriptors (VIRTIO 1.4 "Virtqueues"), aligned to 16 bytes.
	 */
	uint64_t desc_addr;
	/** Guest physical address of the driver's area, aligned: split 2 bytes, packed 4. */
	uint64_t driver_addr;
	/** Guest physical address of the device's area, aligned to 4 bytes. */
	uint64_t device_addr;
	/** Next available entry; see the terms above. */
	uint16_t avail_idx;
	/** Next used entry; see the terms above. */
	uint16_t used_idx;
	/** Packed: wrap counter of avail_idx, 0 or 1. Split: 0. */
	uint8_t avail_wrap;
	/** Packed: wrap counter of used_idx, 0 or 1. Split: 0. */
	uint8_t used_wrap;
	/** For VIRTIO_F_EVENT_IDX: used index at the last notification. */
	uint16_t signalled_used;
	/** signalled_used has a value. */
	bool signalled_valid;
	/** A used notification was due when the device stopped. The device sends it at resume. */
	bool notify_pending;
	/** Number of entries in @p inflight. */
	uint16_t nb_inflight;
	/** Buffers in flight in the order in which they were dequeued. NULL if there are none. */
	struct rte_vhost_state_inflight *inflight;
	/**
	 * Number of entries in @p inflight_descs. Packed: sum of num of all entries of
	 * @p inflight, or 0 if the descriptors are not known; no destination accepts the latter.
	 * Split: 0.
	 */
	uint32_t nb_inflight_descs;
	/** Packed: num descriptors for each entry, in the order of the entries. Otherwise NULL. */
	struct rte_vhost_state_desc *inflight_descs;
	/** Statistics. */
	struct rte_vhost_state_vq_stats stats;
};

/** State of one device. */
struct rte_vhost_state {
	/** Virtio device ID, RTE_VHOST_STATE_ID_*. */
	uint16_t device_id;
	/**
	 * Device status, RTE_VHOST_STATE_S_*. A captured device is suspended: ACKNOWLEDGE, DRIVER,
	 * FEATURES_OK and SUSPEND are set, DRIVER_OK is not. NEEDS_RESET and FAILED may be set.
	 */
	uint8_t status;
	/** Features that the device offered. */
	uint64_t device_features;
	/** Features that were negotiated. */
	uint64_t driver_features;
	/**
	 * Data of the device class: the member that belongs to device_id.
	 *
	 * A new class adds a member here. Its type has no pointers and is not larger than
	 * class_data. The size of this structure and its other members then do not change.
	 */
	__extension__ union {
		/** Network device, RTE_VHOST_STATE_ID_NET. */
		struct rte_vhost_state_net net;
		/** Block device, RTE_VHOST_STATE_ID_BLK. */
		struct rte_vhost_state_blk blk;
		/** Console, RTE_VHOST_STATE_ID_CONSOLE. */
		struct rte_vhost_state_console console;
		/** SCSI host, RTE_VHOST_STATE_ID_SCSI. */
		struct rte_vhost_state_scsi scsi;
		/** Room for the data of any class. */
		uint64_t class_data[RTE_VHOST_STATE_CLASS_WORDS];
	};
	/** Number of entries in @p vqs, 1 .. RTE_VHOST_STATE_MAX_VQ. */
	uint16_t nb_vqs;
	/** Virtqueues in the order of their indices. */
	struct rte_vhost_state_vq *vqs;
};

/**
 * What a destination offers, for rte_vhost_state_check_fit().
 *
 * A new class adds members for its own limits. A class ignores the limits of other classes.
 */
struct rte_vhost_state_limits {
	/** Virtio device ID, RTE_VHOST_STATE_ID_*. */
	uint16_t device_id;
	/** Features that the destination offers. */
	uint64_t device_features;
	/** Features that the front end negotiated with the destination. 0: not known. */
	uint64_t driver_features;
	/** Largest number of virtqueues. */
	uint16_t max_vqs;
	/** Network device: largest MTU in bytes. */
	uint16_t max_mtu;
	/**
	 * Network device: index of the control virtqueue if VIRTIO_NET_F_MQ is negotiated. 0: the
	 * device serves none. UINT16_MAX: not checked.
	 */
	uint16_t ctrl_vq;
	/** The destination completes buffers that are in flight in the state. */
	bool inflight;
	/** Block device: capacity in sectors of 512 bytes. */
	uint64_t blk_capacity;
	/** Block device: bytes of a logical block; 0: the three limits are not known or checked. */
	uint32_t blk_size;
	/** Block device: writes are refused. */
	bool blk_read_only;
	/** Console: number of ports; 0: not known. */
	uint16_t console_ports;
	/** SCSI host: number of logical units; 0: they are not known or checked. */
	uint16_t scsi_luns;
	/** SCSI host: its logical units. Write cache and unit attentions are ignored. */
	struct rte_vhost_state_scsi_lun scsi_lun[RTE_VHOST_STATE_SCSI_LUNS];
};

/* ---- model ---- */

/**
 * Allocate a state with all fields zero. The memory is from malloc(), so EAL is not needed.
 *
 * @param nb_vqs
 *   Number of virtqueues, 1 .. RTE_VHOST_STATE_MAX_VQ.
 * @return
 *   The state, to be freed by rte_vhost_state_free(). NULL with rte_errno:
 *   - EINVAL: @p nb_vqs is out of range.
 *   - ENOMEM: out of memory.
 */
__rte_experimental
struct rte_vhost_state *rte_vhost_state_alloc(uint16_t nb_vqs);

/**
 * Replace the in-flight entries of a virtqueue by @p nb entries with all fields zero.
 * An error changes nothing.
 *
 * @param st
 *   The state; changed.
 * @param vq
 *   Virtqueue index.
 * @param nb
 *   Number of entries, 0 .. RTE_VHOST_STATE_MAX_VQ_SIZE.
 * @return
 *   - 0: success.
 *   - -EINVAL: @p vq or @p nb is out of range.
 *   - -ENOMEM: out of memory.
 */
__rte_experimental
int rte_vhost_state_vq_inflight_alloc(struct rte_vhost_state *st, uint16_t vq, uint16_t nb);

/**
 * Replace the in-flight descriptors of a virtqueue by @p nb descriptors with all fields zero.
 * An error changes nothing.
 *
 * @param st
 *   The state; changed.
 * @param vq
 *   Virtqueue index.
 * @param nb
 *   Number of descriptors, 0 .. RTE_VHOST_STATE_MAX_VQ_SIZE.
 * @return
 *   - 0: success.
 *   - -EINVAL: @p vq or @p nb is out of range.
 *   - -ENOMEM: out of memory.
 */
__rte_experimental
int rte_vhost_state_vq_inflight_descs_alloc(struct rte_vhost_state *st, uint16_t vq, uint32_t nb);

/**
 * Copy a state with all that it points to.
 *
 * @param st
 *   The state.
 * @return
 *   The copy, to be freed; NULL with rte_errno ENOMEM.
 */
__rte_experimental
struct rte_vhost_state *rte_vhost_state_copy(const struct rte_vhost_state *st);

/** Free a state and all that it points to. NULL is ignored. */
__rte_experimental
void rte_vhost_state_free(struct rte_vhost_state *st);

/** Return true if every field has the same value in both states. */
__rte_experimental
bool rte_vhost_state_equal(const struct rte_vhost_state *a, const struct rte_vhost_state *b);

/** Return true if the rings of the state are packed: VIRTIO_F_RING_PACKED was negotiated. */
__rte_experimental
bool rte_vhost_state_is_packed(const struct rte_vhost_state *st);

/* ---- bytes ---- */

/** Return the number of bytes that rte_vhost_state_encode() writes for the valid state @p st. */
__rte_experimental
size_t rte_vhost_state_encoded_size(const struct rte_vhost_state *st);

/**
 * Validate a state and encode it into memory. A refusal leaves @p buf unchanged.
 *
 * @param st
 *   The state.
 * @param buf
 *   Written: the bytes.
 * @param size
 *   Size of @p buf in bytes.
 * @param len
 *   Written if the state is valid: number of bytes that the state needs.
 * @param err
 *   Filled with the result; may be NULL.
 * @return
 *   0, or -errno of the reason in @p err.
 */
__rte_experimental
int rte_vhost_state_encode(const struct rte_vhost_state *st, void *buf, size_t size, size_t *len,
		struct rte_vhost_state_error *err);

/**
 * Decode a state from bytes that are not trusted, and validate it.
 *
 * @param buf
 *   The bytes.
 * @param len
 *   Number of bytes; all of them must belong to the state.
 * @param err
 *   Filled with the result; may be NULL.
 * @return
 *   The state, to be freed; NULL with rte_errno and the reason in @p err.
 */
__rte_experimental
struct rte_vhost_state *rte_vhost_state_decode(const void *buf, size_t len,
		struct rte_vhost_state_error *err);

/**
 * Validate a state and save it to a regular file with mode 0600.
 *
 * The file is complete or not written at all: the state goes to a temporary file in the same
 * directory, is synced, and gets its name. May block on the disk.
 *
 * @param st
 *   The state.
 * @param path
 *   Path of the file, which is replaced.
 * @param err
 *   Filled with the result; may be NULL.
 * @return
 *   0, or -errno of the reason in @p err. The old file is then unchanged.
 */
__rte_experimental
int rte_vhost_state_save(const struct rte_vhost_state *st, const char *path,
		struct rte_vhost_state_error *err);

/**
 * Load a state from a file, as rte_vhost_state_decode() does from memory.
 *
 * @param path
 *   Path of the file.
 * @param err
 *   Filled with the result; may be NULL.
 * @return
 *   The state, to be freed; NULL with rte_errno and the reason in @p err.
 */
__rte_experimental
struct rte_vhost_state *rte_vhost_state_load(const char *path, struct rte_vhost_state_error *err);

/**
 * Validate a state and write all of it to a file descriptor. May block, without a bound, also if
 * the descriptor is in non-blocking mode. A closed peer is an error and raises no SIGPIPE.
 *
 * @param st
 *   The state.
 * @param fd
 *   File descriptor.
 * @param err
 *   Filled with the result; may be NULL.
 * @return
 *   0, or -errno of the reason in @p err. Part of the state may then be written.
 */
__rte_experimental
int rte_vhost_state_write(const struct rte_vhost_state *st, int fd,
		struct rte_vhost_state_error *err);

/**
 * Read one state from a file descriptor, as rte_vhost_state_decode() does from memory.
 *
 * Exactly the bytes that the header announces are read, so states can follow each other in a
 * stream. May block, without a bound, also if the descriptor is in non-blocking mode.
 *
 * @param fd
 *   File descriptor.
 * @param err
 *   Filled with the result; may be NULL.
 * @return
 *   The state, to be freed; NULL with rte_errno and the reason in @p err.
 */
__rte_experimental
struct rte_vhost_state *rte_vhost_state_read(int fd, struct rte_vhost_state_error *err);

/* ---- checks ---- */

/**
 * Check that a state is consistent in itself. The state is not changed.
 *
 * @param st
 *   The state.
 * @param err
 *   Filled with the result; may be NULL.
 * @return
 *   0, or -errno of the reason in @p err.
 */
__rte_experimental
int rte_vhost_state_validate(const struct rte_vhost_state *st, struct rte_vhost_state_error *err);

/**
 * Check that a destination can restore a valid state. Nothing is changed.
 *
 * @param st
 *   The state; valid.
 * @param lim
 *   What the destination offers.
 * @param err
 *   Filled with the result; may be NULL.
 * @return
 *   0, or -errno of the reason in @p err: DEVICE_ID, FIT_*.
 */
__rte_experimental
int rte_vhost_state_check_fit(const struct rte_vhost_state *st,
		const struct rte_vhost_state_limits *lim, struct rte_vhost_state_error *err);

/**
 * Check that the front end of a destination set up a virtqueue as it is in the state: with the
 * same size and addresses. A virtqueue of size 0 in the state was never set up by the driver, and
 * any set-up fits. Nothing is changed.
 *
 * @param st
 *   The state; valid.
 * @param vq
 *   Virtqueue index.
 * @param found
 *   The virtqueue of the destination; only size and addresses are read.
 * @param err
 *   Filled with the result; may be NULL.
 * @return
 *   0, or -errno of the reason in @p err: VQ_INDEX, FIT_VQ_SIZE, FIT_VQ_ADDRESS.
 */
__rte_experimental
int rte_vhost_state_check_vq(const struct rte_vhost_state *st, uint16_t vq,
		const struct rte_vhost_state_vq *found, struct rte_vhost_state_error *err);

/** Operation on a device whose legality depends on the device status. */
enum rte_vhost_state_action {
	RTE_VHOST_STATE_A_SUSPEND,
	RTE_VHOST_STATE_A_RESUME,
	RTE_VHOST_STATE_A_CAPTURE,
	RTE_VHOST_STATE_A_RESTORE,
};

/**
 * Check that @p action is legal for a device with status byte @p status.
 *
 * Suspending a suspended device and resuming a running device are legal and have no effect.
 * NEEDS_RESET and FAILED do not forbid suspend and capture, because a host must always be able to
 * move a guest. They forbid restore.
 *
 * @param status
 *   RTE_VHOST_STATE_S_*.
 * @param action
 *   The operation.
 * @param err
 *   Filled with the result; may be NULL.
 * @return
 *   0, or -errno of the reason in @p err: NOT_RUNNING, NOT_SUSPENDED, NOT_CONFIGURABLE,
 *   NEEDS_RESET, STATUS_ILLEGAL (unknown action).
 */
__rte_experimental
int rte_vhost_state_may(uint8_t status, enum rte_vhost_state_action action,
		struct rte_vhost_state_error *err);

/**
 * Check a driver's write to the status byte, and compute the status that the device then shows
 * (VIRTIO 1.4 "Device Status Field", "Device Suspend").
 *
 * Writing 0 (reset) is always legal. Otherwise a driver only adds bits, in order. SUSPEND needs
 * DRIVER_OK, and VIRTIO_F_SUSPEND in @p driver_features. NEEDS_RESET belongs to the device: a
 * driver can neither set nor clear it, and may leave it out of what it writes.
 *
 * @param cur
 *   Status byte before the write.
 * @param next
 *   Byte that the driver writes.
 * @param driver_features
 *   Features that the driver accepted.
 * @param result
 *   Written: status byte after the write, which is @p cur if the write is refused.
 * @param err
 *   Filled with the result; may be NULL.
 * @return
 *   0, or -errno of the reason in @p err: STATUS_ILLEGAL, NEEDS_RESET.
 */
__rte_experimental
int rte_vhost_state_status_write(uint8_t cur, uint8_t next, uint64_t driver_features,
		uint8_t *result, struct rte_vhost_state_error *err);

/* ---- reasons ---- */

/** Return the short name of a reason, such as "vq_wrap"; "unknown" if it is out of range. */
__rte_experimental
const char *rte_vhost_state_reason_name(enum rte_vhost_state_reason reason);

/** Return the text of a reason; "unknown reason" if it is out of range. */
__rte_experimental
const char *rte_vhost_state_reason_text(enum rte_vhost_state_reason reason);

/** Return the positive errno of a reason; EINVAL if it is out of range. */
__rte_experimental
int rte_vhost_state_reason_errno(enum rte_vhost_state_reason reason);

/** Return how many refusals with @p reason this process has had; 0 if it is out of range. */
__rte_experimental
uint64_t rte_vhost_state_reason_count(enum rte_vhost_state_reason reason);

/**
 * Fill an error, count it and log it. Back ends refuse by this function, so that all refusals
 * are reported and counted in the same way. Thread-safe.
 *
 * @param err
 *   Error to fill; may be NULL.
 * @param reason
 *   Why the operation is refused.
 * @param vq
 *   Virtqueue index, or -1.
 * @param expected
 *   Value that would have been accepted; 0 if the reason has none.
 * @param found
 *   Value that was refused; 0 if the reason has none.
 * @return
 *   The -errno of @p reason.
 */
__rte_experimental
int rte_vhost_state_refuse(struct rte_vhost_state_error *err, enum rte_vhost_state_reason reason,
		int vq, uint64_t expected, uint64_t found);

/**
 * Format an error as one line of text without a newline.
 *
 * @param err
 *   The error.
 * @param buf
 *   Written: the text, with its terminating zero.
 * @param size
 *   Size of @p buf in bytes; longer text is cut.
 * @return
 *   Length of the whole text, as snprintf() returns it.
 */
__rte_experimental
int rte_vhost_state_error_format(const struct rte_vhost_state_error *err, char *buf, size_t size);

/** Print a state as text. The state need not be valid. */
__rte_experimental
void rte_vhost_state_dump(const struct rte_vhost_state *st, FILE *f);

/** Print a state as one line with a JSON object. The state need not be valid. */
__rte_experimental
void rte_vhost_state_dump_json(const struct rte_vhost_state *st, FILE *f);

#ifdef __cplusplus
}
#endif

#endif /* _RTE_VHOST_STATE_H_ */
