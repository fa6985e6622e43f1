/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_FAULT_H
#define VSTATE_FAULT_H

/** @file Why a queue is broken: what a driver did that no driver may do. */

/** Why a queue is broken: name and text. */
#define VSTATE_FAULTS(X) \
	X(NONE, "not broken") \
	X(AVAIL_DISTANCE, "available index more than the ring size ahead") \
	X(HEAD_RANGE, "available entry names a descriptor outside the ring") \
	X(NEXT_RANGE, "descriptor chain leaves its table") \
	X(CHAIN_LENGTH, "descriptor chain longer than its table") \
	X(CHAIN_DIRECTION, "descriptor is writable where it must be readable, or the reverse") \
	X(CHAIN_SHORT, "buffer shorter than the virtio header") \
	X(INDIRECT_FEATURE, "indirect descriptor without VIRTIO_F_INDIRECT_DESC") \
	X(INDIRECT_NESTED, "indirect descriptor inside an indirect table") \
	X(INDIRECT_NEXT, "indirect descriptor with NEXT, or in a packed ring after others") \
	X(INDIRECT_LENGTH, "indirect table empty, too long or of a broken length") \
	X(ADDRESS, "address outside the guest's memory") \
	X(MEMORY_LOST, "the front end took shared memory away") \
	X(CALL_BLOCKS, "the front end made a call eventfd block") \
	X(CHAIN_PIECES, "request of more pieces than its device takes") \
	X(IN_FLIGHT, "buffer made available again while it is in flight") \
	X(REQUESTS_UNKNOWN, "a killed process left requests in flight, and no in-flight region")

enum vstate_fault {
#define VSTATE_FAULT_ENUM(name, text) VSTATE_FAULT_##name,
	VSTATE_FAULTS(VSTATE_FAULT_ENUM)
#undef VSTATE_FAULT_ENUM
	VSTATE_FAULT_MAX
};

/** Return the name of a fault, as "avail_distance"; never NULL. */
const char *vstate_fault_name(enum vstate_fault fault);
/** Return what the driver did, for the log; never NULL. */
const char *vstate_fault_text(enum vstate_fault fault);

#endif /* VSTATE_FAULT_H */
