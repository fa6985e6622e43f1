/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_SCSI_CONF_H
#define VSTATE_SCSI_CONF_H

/** @file Device arguments of the SCSI class. */

#include <stdint.h>

#include <rte_common.h>

#include "dev/vstate_conf.h"
#include "dev/vstate_devarg.h"
#include "vstate_blk_conf.h"

/** Largest number of logical units. */
#define VSTATE_SCSI_LUNS 8
/** Room for a serial number of a logical unit: text, number, zero. */
#define VSTATE_SCSI_SERIAL (VSTATE_BLK_ID_SIZE + 8)

/** Arguments of the SCSI class, stored in struct vstate_conf::of_class. */
struct vstate_scsi_conf {
	/** First member: what all logical units have in common. Its path is empty. */
	struct vstate_blk_conf store;
	/** File or block device of each logical unit; empty for ram and null. */
	char paths[VSTATE_SCSI_LUNS][sizeof(((struct vstate_blk_conf *)0)->path)];
	/** Number of logical units of ram and null stores; 0: not given. */
	uint16_t nb_luns;
};

/** Help text for RTE_PMD_REGISTER_PARAM_STRING, besides VSTATE_BLK_CONF_PARAMS. */
#define VSTATE_SCSI_CONF_LUNS \
	"lun0=<file> lun1=<file> lun2=<file> lun3=<file> lun4=<file> lun5=<file> lun6=<file> lun7=<file> " \
	"luns=<1-8> "
#define VSTATE_SCSI_CONF_PARAMS VSTATE_SCSI_CONF_LUNS VSTATE_BLK_CONF_STORE_PARAMS

/** Return the arguments of the SCSI class, to write them. */
static inline struct vstate_scsi_conf *
vstate_scsi_conf(struct vstate_conf *conf)
{
	RTE_BUILD_BUG_ON(sizeof(struct vstate_scsi_conf) > sizeof(conf->of_class));
	return (struct vstate_scsi_conf *)(void *)conf->of_class;
}

/** Return the arguments of the SCSI class, to read them. */
static inline const struct vstate_scsi_conf *
vstate_scsi_conf_const(const struct vstate_conf *conf)
{
	return (const struct vstate_scsi_conf *)(const void *)conf->of_class;
}

#define VSTATE_SCSI_NB_DEVARGS (VSTATE_SCSI_LUNS + 9)
extern const struct vstate_devarg vstate_scsi_devargs[VSTATE_SCSI_NB_DEVARGS];

/** Return the number of logical units that the arguments ask for. */
uint16_t vstate_scsi_conf_luns(const struct vstate_scsi_conf *conf);

/* Members of struct vstate_class, documented there. */
void vstate_scsi_conf_default(struct vstate_conf *conf);
int vstate_scsi_conf_check(const char *dev_name, const struct vstate_conf *conf);

#endif /* VSTATE_SCSI_CONF_H */
