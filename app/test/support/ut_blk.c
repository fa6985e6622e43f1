/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>

#include <rte_byteorder.h>
#include <rte_cycles.h>
#include <rte_memory.h>

#include "rte_vhost_state.h"
#include "ut_blk.h"
#include "ut_groups.h"
#include "vstate_probe.h"
#include "block/vstate_blk.h"
#include "block/vstate_blk_class.h"
#include "block/vstate_blk_conf.h"
#include "dev/vstate_dev.h"
#include "dev/vstate_poller.h"
#include "dev/vstate_start.h"
#include "dev/vstate_watch.h"
#include "ring/vstate_lease.h"

/* A request that does not return in this time never does. */
#define COMPLETE_MS 5000

struct vstate_conf
disk_conf(void)
{
	struct vstate_conf conf = { .queues = 1, .numa = SOCKET_ID_ANY };

	vstate_blk_conf_default(&conf);
	vstate_blk_conf(&conf)->store = VSTATE_BLK_STORE_RAM;
	vstate_blk_conf(&conf)->size = DISK_SIZE;
	return conf;
}

void
disk_device_open(struct disk *d, const char *name, const struct vstate_conf *conf)
{
	vstate_lease_init();
	assert_int_equal(vstate_watch_get(), 0);
	d->dev = vstate_probe_make(name, conf, &vstate_blk_class, SOCKET_ID_ANY);
	assert_non_null(d->dev);
	vstate_poller_set(d->dev, VSTATE_POLLER_SERVICE, NULL, NULL);
	vstate_start_connect(d->dev);
	memset(&d->setup, 0, sizeof(d->setup));
	d->setup.features = d->dev->features_offered &
		~(d->packed ? 0 : RTE_BIT64(VIRTIO_F_RING_PACKED)) &
		~RTE_BIT64(VIRTIO_RING_F_EVENT_IDX);
	d->setup.features &= ~RTE_BIT64(26);
	vstate_start_negotiate(d->dev, d->setup.features, false);
	d->setup.mem = d->ring.guest.mem;
	ring_describe(&d->ring, &d->setup.rings[0]);
	d->setup.rings[0].ready = true;
	d->vq = d->dev->vqs[0];
	d->q = vstate_blk_vq_of(d->vq);
}

void
disk_device_close(struct disk *d)
{
	vstate_start_disconnect(d->dev, false);
	vstate_probe_unmake(d->dev);
	vstate_watch_put();
}

void
disk_start(struct disk *d, struct vstate_pos base)
{
	d->setup.rings[0].base_fresh = true;
	d->setup.rings[0].avail = d->setup.rings[0].used = base;
	vstate_start(d->dev, &d->setup);
	d->setup.rings[0].base_fresh = false;
}

void
disk_open(struct disk *d, const char *name, const struct vstate_conf *conf, bool packed)
{
	memset(d, 0, sizeof(*d));
	d->packed = packed;
	d->region_fd = -1;
	ring_open(&d->ring, packed, DISK_RING);
	disk_device_open(d, name, conf);
	disk_start(d, (struct vstate_pos){ 0, packed });
}

void
disk_close(struct disk *d)
{
	disk_device_close(d);
	if (d->region != NULL)
		munmap(d->region, d->g.mmap_size);
	if (d->region_fd >= 0)
		close(d->region_fd);
	ring_close(&d->ring);
}

void
disk_region_open(struct disk *d)
{
	if (d->region == NULL) {
		d->g = (struct vstate_inflight_shm_geometry){ .num_queues = 1,
			.queue_size = DISK_RING };
		d->region_fd = vstate_inflight_shm_make(d->dev, &d->g, d->packed);
		assert_true(d->region_fd >= 0);
		d->region = mmap(NULL, d->g.mmap_size, PROT_READ | PROT_WRITE, MAP_SHARED,
				d->region_fd, 0);
		assert_true(d->region != MAP_FAILED);
	}
	assert_int_equal(vstate_inflight_shm_set(d->dev, &d->g, d->region_fd, d->packed), 0);
}

/* ---- the driver ---- */

void
disk_header(struct disk *d, unsigned int i, uint32_t type, uint64_t sector)
{
	const struct virtio_blk_outhdr hdr = { .type = rte_cpu_to_le_32(type),
		.sector = rte_cpu_to_le_64(sector) };
	const uint8_t none = DISK_NO_STATUS;

	guest_write(&d->ring.guest, DISK_HDR(i), &hdr, sizeof(hdr));
	guest_write(&d->ring.guest, DISK_STATUS(i), &none, 1);
}

uint16_t
disk_add(struct disk *d, unsigned int i, uint32_t type, uint64_t sector, uint32_t len,
		bool writable)
{
	struct piece p[3] = { { DISK_HDR(i), sizeof(struct virtio_blk_outhdr) } };
	uint16_t n = 1;

	disk_header(d, i, type, sector);
	if (len > 0)
		p[n++] = (struct piece){ DISK_DATA(i), len };
	p[n++] = (struct piece){ DISK_STATUS(i), 1 };
	return ring_add_mixed(&d->ring, p, n - (writable && len > 0 ? 2 : 1), n);
}

uint32_t
disk_complete(struct disk *d, unsigned int n)
{
	const uint64_t end = rte_rdtsc() + rte_get_tsc_hz() / MS_PER_S * COMPLETE_MS;
	uint32_t len = 0;
	uint16_t id;

	while (n > 0) {
		vstate_blk_poll(d->dev);
		if (ring_get_used(&d->ring, &id, &len))
			n--;
		else
			assert_true(rte_rdtsc() < end);
	}
	return len;
}

uint8_t
disk_status(const struct disk *d, unsigned int i)
{
	return *guest_at(&d->ring.guest, DISK_STATUS(i));
}

uint8_t
disk_do(struct disk *d, uint32_t type, uint64_t sector, uint32_t len, bool writable)
{
	disk_add(d, 0, type, sector, len, writable);
	disk_complete(d, 1);
	return disk_status(d, 0);
}

void
disk_data_fill(struct disk *d, unsigned int i, uint32_t len, uint8_t seed)
{
	uint32_t k;

	for (k = 0; k < len; k++)
		*guest_at(&d->ring.guest, DISK_DATA(i) + k) = seed + k + k / 256;
}

void
disk_data_check(const struct disk *d, unsigned int i, uint32_t len, uint8_t seed)
{
	uint32_t k;

	for (k = 0; k < len; k++)
		assert_int_equal(*guest_at(&d->ring.guest, DISK_DATA(i) + k),
				(uint8_t)(seed + k + k / 256));
}
