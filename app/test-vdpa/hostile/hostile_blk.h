/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef HOSTILE_BLK_H
#define HOSTILE_BLK_H

/**
 * @file
 * Drivers of a virtio-blk device that misbehave, one way in each case, and the check that the back
 * end took no harm. The contents of the disk are lost.
 */

struct hostile_conf;

/** Print names and descriptions of the cases. */
void hostile_blk_list(void);
/**
 * Run the cases that conf->name lists, as hostile_run() does. Of @p conf these apply: path, split,
 * packed, name, witness (a second virtio-blk device), pid, rss_limit_mb, expect_reset, verbose.
 * @return 0 if no case failed and at least one passed
 */
int hostile_blk_run(const struct hostile_conf *conf);

#endif /* HOSTILE_BLK_H */
