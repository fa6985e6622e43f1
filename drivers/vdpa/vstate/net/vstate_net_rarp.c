/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <string.h>

#include <rte_arp.h>
#include <rte_byteorder.h>

#include "vstate_compat.h"
#include "vstate_net.h"
#include "vstate_net_rarp.h"

void
vstate_net_rarp_set(struct vstate_net *net, uint64_t mac)
{
	uint64_t due = 0;

	/* the first 6 bytes of the payload are the address, in any byte order */
	memcpy(&due, &mac, RTE_ETHER_ADDR_LEN);
	rte_atomic_store_explicit(&net->rarp_due, rte_le_to_cpu_64(due) | VSTATE_NET_RARP_DUE,
			rte_memory_order_relaxed);
}

struct rte_mbuf *
vstate_net_rarp_make(const struct vstate_net *net, struct rte_mempool *pool, uint64_t *due)
{
	struct rte_ether_addr mac;
	uint64_t bytes;

	*due = rte_atomic_load_explicit(&net->rarp_due, rte_memory_order_relaxed);
	if (*due == 0)
		return NULL;
	bytes = rte_cpu_to_le_64(*due);
	memcpy(&mac, &bytes, sizeof(mac));
	return rte_net_make_rarp_packet(pool, &mac);
}

void
vstate_net_rarp_done(struct vstate_net *net, uint64_t due)
{
	rte_atomic_compare_exchange_strong_explicit(&net->rarp_due, &due, 0,
			rte_memory_order_relaxed, rte_memory_order_relaxed);
}
