/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef FUZZ_DRIVER_H
#define FUZZ_DRIVER_H

/**
 * @file
 * The driver's side of one ring, directed by the input: it makes buffers available, right and wrong
 * ones, and overwrites anything. And a small model of the device: which buffers it can find, and
 * what they hold. The model shares no code with the device.
 */

#include <stdbool.h>
#include <stdint.h>

#include "dev/vstate_setup.h"
#include "fuzz_guest.h"

/** Pieces of a buffer that the model looks at, and buffers. */
#define FUZZ_PIECES 40
#define FUZZ_BUFS (FUZZ_RING_MAX + 1)

/** A descriptor of either layout. */
struct fuzz_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags, link;
};

/** A buffer as the driver described it. */
struct fuzz_buf {
	uint16_t id;
	/** Descriptors in the ring (packed); 1 (split). */
	uint16_t num;
	uint16_t nb_pieces;
	/** Bytes of all pieces. */
	uint64_t bytes;
	struct {
		uint64_t gpa;
		uint32_t len;
		bool writable;
	} pieces[FUZZ_PIECES];
};

struct fuzz_driver {
	bool packed, indirect;
	uint16_t size;
	/** Flags of the buffers that the driver makes: VRING_DESC_F_WRITE or 0. */
	uint16_t direction;
	uint8_t hdr_len;
	/** Where the driver adds the next buffer. Split: the index runs freely. */
	uint16_t next;
	uint8_t wrap;
	/** Split: next descriptor to use. */
	uint16_t desc;
	/** Where the next indirect table is written. */
	uint64_t table;
};

/** The buffers from a position of the device on, in order. */
struct fuzz_view {
	struct fuzz_buf bufs[FUZZ_BUFS];
	uint16_t nb;
	/** Buffers that the device may write to: also one in whose middle it finds a fault. */
	uint16_t nb_offered;
	/**
	 * Descriptions lie in memory that the device may write, or buffers overlap: what the
	 * device does depends on what it did before.
	 */
	bool tangled;
	/** More buffers, or longer ones, than the model looks at. */
	bool cut;
};

/** Begin at a position, as if all before had been used. @param wrap  packed */
void fuzz_driver_seek(struct fuzz_driver *d, uint16_t idx, uint8_t wrap);
/** One step of the driver: a buffer, a descriptor, or any bytes. */
void fuzz_driver_step(struct fuzz_driver *d, struct fuzz_in *in, uint8_t op);
/** Read a length: mostly one that matters to the device, or its neighbour. */
uint32_t fuzz_driver_len(const struct fuzz_driver *d, struct fuzz_in *in);
/** Make a buffer of @p n descriptors available. Writes their links, and NEXT. */
void fuzz_driver_add(struct fuzz_driver *d, struct fuzz_desc *descs, uint16_t n);
/** Write an indirect table. @return the descriptor of the table */
struct fuzz_desc fuzz_driver_table(struct fuzz_driver *d, struct fuzz_desc *descs, uint16_t n);
/** Look at the buffers that are available from @p idx on, @p room descriptors at most. */
void fuzz_driver_view(const struct fuzz_driver *d, uint16_t idx, uint8_t wrap, uint16_t room,
		struct fuzz_view *v);
/**
 * Require that the device changed, since the snapshot, only its part of the ring and what the
 * driver offered to it in @p v. @param logged  and that the dirty log has it
 */
void fuzz_driver_require_offered(const struct fuzz_driver *d, const struct fuzz_view *v,
		bool logged);
/** Describe the ring as a front end sets it up, with this base. */
void fuzz_driver_describe(const struct fuzz_driver *d, struct vstate_pos base,
		struct vstate_ring_setup *ring);
/** Copy @p len bytes of a buffer from @p off on. False: the buffer is shorter. */
bool fuzz_buf_read(const struct fuzz_buf *b, uint32_t off, void *to, uint32_t len);

#endif /* FUZZ_DRIVER_H */
