/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <errno.h>

#include "vstate_avail.h"
#include "vstate_command.h"
#include "vstate_compat.h"
#include "vstate_publish.h"

/* 1: begun; 0: none is available; -1: fault. */
static int
chain_begin(struct vstate_vq *vq, struct vstate_chain *c)
{
	return vq->is_packed ? buf_chain_begin(vq, c, VSTATE_CHAIN_BOTH, true) :
		buf_chain_begin(vq, c, VSTATE_CHAIN_BOTH, false);
}

/* Find the byte of the answer. The pointer is valid as long as the queues are set up. */
static int
answer_find(struct vstate_vq *vq, struct vstate_command *cmd)
{
	uint32_t len = 1;
	int ret = vstate_chain_piece(vq, &cmd->chain, VRING_DESC_F_WRITE, &cmd->answer, &len,
			vq->is_packed);

	if (ret == 0)
		vstate_vq_break(vq, VSTATE_FAULT_CHAIN_SHORT);
	cmd->answer_gpa = cmd->chain.addr - 1;
	return ret;
}

int
vstate_command_pop(struct vstate_vq *vq, struct vstate_command *cmd, void *buf, uint32_t size)
{
	struct vstate_chain *c = &cmd->chain;
	uint32_t len = 1;
	int32_t got;
	uint8_t *more;
	int ret;

	if (vq->fault != VSTATE_FAULT_NONE)
		return -EIO;
	vq->nb_steps = 0;
	ret = chain_begin(vq, c);
	if (ret <= 0)
		return ret == 0 ? -EAGAIN : -EIO;
	got = vstate_chain_read(vq, c, buf, size, vq->is_packed);
	if (got < 0)
		return -EIO;
	cmd->len = got;
	ret = vstate_chain_piece(vq, c, 0, &more, &len, vq->is_packed);
	if (ret < 0)
		return -EIO;
	cmd->longer = ret > 0;
	if (answer_find(vq, cmd) <= 0 || !vstate_chain_finish(vq, c, vq->is_packed))
		return -EIO;
	return 0;
}

void
vstate_command_push(struct vstate_vq *vq, struct vstate_command *cmd, uint8_t answer)
{
	*cmd->answer = answer;
	vstate_vq_dirty(vq, cmd->answer_gpa, sizeof(answer));
	if (vq->is_packed) {
		buf_dequeue(vq, &cmd->chain, true);
		shadow_add(vq, &cmd->chain, sizeof(answer));
		shadow_publish(vq, vq->avail, true, true);
		buf_look_ahead(vq, true);
	} else {
		buf_dequeue(vq, &cmd->chain, false);
		shadow_add(vq, &cmd->chain, sizeof(answer));
		shadow_publish(vq, vq->avail, true, false);
		buf_look_ahead(vq, false);
	}
}

bool
vstate_command_ring_is_new(const struct vstate_vq *vq)
{
	const uint16_t last = vq->size - 1;

	if (vq->is_packed) {
		if (vq->used.idx != 0 || vq->used.wrap != 1)
			return false;
		return vq->packed.desc[last].addr == 0 && vq->packed.desc[last].len == 0;
	}
	return vq->used.idx == 0 && vq->split.used->ring[last].id == 0 &&
		vq->split.used->ring[last].len == 0;
}
