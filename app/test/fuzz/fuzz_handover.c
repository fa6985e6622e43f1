/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

/**
 * @file
 * Fuzzer of handover messages: what one process sends to the process that takes a device over.
 * Half of the inputs are bytes on the socket, with descriptors at any place. In the other half a
 * message is made by the sender's functions, and must arrive as it was sent. No descriptor may be
 * lost or left open.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_common.h>

#include "fuzz_in.h"
#include "handover/vstate_handover_msg.h"
#include "handover/vstate_scm.h"

#define MAGIC 0x766f646e61687376ull
#define BYTES_MAX 4096
static int an_fd;

struct header {
	uint64_t magic;
	uint32_t version, kind, value, nb_fds;
	uint64_t len;
};

static void
sent(int fd, const void *bytes, size_t len, unsigned int nb_fds)
{
	int fds[VSTATE_SCM_MAX_FDS];
	unsigned int i;

	for (i = 0; i < nb_fds; i++)
		fds[i] = an_fd;
	/* what there is no room for is lost: then the message is cut */
	if (len > 0)
		vstate_scm_send(fd, bytes, len, fds, nb_fds);
}

/* A header that is nearly right, and bytes with descriptors. */
static void
bytes_send(struct fuzz_in *in, int fd)
{
	struct header h = { MAGIC, 2, fuzz_u8(in) % 8, fuzz_u8(in), 0, 0 };
	const uint8_t how = fuzz_u8(in);
	uint8_t bytes[BYTES_MAX];
	unsigned int i;
	size_t n;

	h.nb_fds = how & 1 ? fuzz_u16(in) : fuzz_u8(in) % 4;
	h.len = how & 2 ? fuzz_u32(in) : fuzz_u16(in) % 512;
	if (how & 4)
		h.len = fuzz_u64(in);
	if (how & 8)
		h.magic ^= fuzz_u8(in);
	if (how & 16)
		h.version = fuzz_u8(in);
	sent(fd, &h, sizeof(h), how & 32 ? fuzz_u8(in) % 4 : 0);
	for (i = 0; !(how & 1) && i < h.nb_fds; i++)
		sent(fd, "", 1, how & 64 ? fuzz_u8(in) % 4 : 1);
	while (fuzz_has_more(in)) {
		n = fuzz_bytes(in, bytes, how & 0x80 ? fuzz_u8(in) : sizeof(bytes));
		sent(fd, bytes, n, how & 0x80 ? fuzz_u8(in) % 3 : 0);
		if (n == 0)
			break;
	}
}

/* Read all items as the two processes do. @return their number */
static unsigned int
items_read(struct fuzz_in *in, const struct vstate_handover_msg *msg)
{
	struct vstate_handover_cursor cursor = { 0 };
	struct vstate_handover_item item;
	unsigned int n = 0, i;
	uint8_t bytes[VSTATE_HANDOVER_ITEM_MAX];
	int ret, fd;

	while ((ret = vstate_handover_msg_next(msg, &cursor, &item)) == 1) {
		fuzz_require(item.size <= VSTATE_HANDOVER_ITEM_MAX, "an item is not too long");
		fuzz_require(item.bytes + item.size <= msg->bytes + msg->len,
				"an item is in its message");
		/* all of its bytes can be read */
		memcpy(bytes, item.bytes, item.size);
		for (i = 0; i < item.nb_fds; i++)
			fuzz_require(fcntl(item.fds[i], F_GETFD) >= 0, "an item has its descriptors");
		if (fuzz_u8(in) & 1) {
			fd = vstate_handover_item_take(&item);
			if (fd >= 0)
				close(fd);
		}
		n++;
	}
	fuzz_require(ret == 0 || ret == -EBADMSG, "items end");
	return n;
}

static void
message_make(struct fuzz_in *in, struct vstate_handover_msg *msg, unsigned int *items)
{
	uint8_t bytes[VSTATE_HANDOVER_ITEM_MAX + 8];
	int fds[8];
	unsigned int i, nb_fds;
	uint16_t size;

	for (i = 0; i < RTE_DIM(fds); i++)
		fds[i] = an_fd;
	for (i = 0; i < 40 && fuzz_has_more(in); i++) {
		size = fuzz_u16(in) % sizeof(bytes);
		nb_fds = fuzz_u8(in) % (RTE_DIM(fds) + 1);
		memset(bytes, size, size);
		if (vstate_handover_msg_add(msg, fuzz_u16(in), bytes, size, fds, nb_fds) == 0)
			(*items)++;
		else
			fuzz_require(size > VSTATE_HANDOVER_ITEM_MAX, "an item can be added");
	}
}

static void
made_message_arrives(struct fuzz_in *in, const int pair[2])
{
	struct vstate_handover_msg msg = VSTATE_HANDOVER_MSG(fuzz_u8(in) % 8, fuzz_u8(in)), got;
	unsigned int items = 0;

	message_make(in, &msg, &items);
	if (vstate_handover_msg_send(pair[0], &msg, 0) == 0) {
		fuzz_require(vstate_handover_msg_receive(pair[1], &got, UINT64_MAX, -1) == 0,
				"a message arrives");
		fuzz_require(got.kind == msg.kind && got.value == msg.value &&
				got.len == msg.len && got.nb_fds == msg.nb_fds &&
				(msg.len == 0 || memcmp(got.bytes, msg.bytes, msg.len) == 0),
				"a message arrives as it was sent");
		fuzz_require(items_read(in, &got) == items, "all items arrive");
		vstate_handover_msg_drop(&got);
	}
	vstate_handover_msg_drop(&msg);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	RTE_SET_USED(argc);
	RTE_SET_USED(argv);
	fuzz_eal_start();
	an_fd = eventfd(0, 0);
	fuzz_require(an_fd >= 0, "a descriptor");
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_in in = { data, data + size };
	const int free_fd = fuzz_free_fd();
	struct vstate_handover_msg got;
	int pair[2];

	fuzz_require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0, "a socket");
	if (fuzz_u8(&in) & 1) {
		made_message_arrives(&in, pair);
	} else {
		bytes_send(&in, pair[0]);
		shutdown(pair[0], SHUT_WR);
		if (vstate_handover_msg_receive(pair[1], &got, UINT64_MAX, -1) == 0) {
			items_read(&in, &got);
			vstate_handover_msg_drop(&got);
		} else {
			fuzz_require(got.bytes == NULL && got.fds == NULL && got.nb_fds == 0,
					"a message that was refused is empty");
		}
	}
	close(pair[0]);
	close(pair[1]);
	fuzz_require(fuzz_free_fd() == free_fd, "no descriptor is left open");
	return 0;
}
