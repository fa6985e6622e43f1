/* SPDX-License-Identifier: BSD-3-Clause
 * Copyright(c) 2026 vstate contributors
 */

#ifndef VSTATE_DEVARGS_H
#define VSTATE_DEVARGS_H

/** @file Parser of the device arguments: those of every device, and those of its class. */

#include "dev/vstate_conf.h"

struct vstate_class;

/** Driver of a device. vdpa_vstate refuses arguments about a socket. */
enum vstate_kind {
	VSTATE_KIND_SOCKET,
	VSTATE_KIND_VDPA,
};

/** Help texts for RTE_PMD_REGISTER_PARAM_STRING. */
#define VSTATE_DEVARGS_COMMON \
	"queues=<1-64> " \
	"numa=<node> " \
	"state_dir=<directory> " \
	"control=<path> " \
	"service=<0|1> "
#define VSTATE_DEVARGS_VDPA \
	"class=<net|blk|scsi> "
#define VSTATE_DEVARGS_SOCKET \
	"iface=<path> socket-mode=<octal> socket-group=<name|number> client=<0|1> postcopy-support=<0|1> iommu-support=<0> device-state=<0|1> " \
	"takeover=<0|1> keep-connection=<0|1> " VSTATE_DEVARGS_COMMON

/**
 * Parse the device arguments, and set the defaults for the others.
 * @param name name of the device, for the log
 * @param args arguments; may be NULL or empty
 * @param conf written
 * @return 0; -EINVAL for an unknown key, a bad value or a bad combination, named in the log
 */
int vstate_devargs_parse(const struct vstate_class *class, enum vstate_kind kind, const char *name,
		const char *args, struct vstate_conf *conf);

/**
 * Return the class that class= of a vdpa_vstate device names: one of @p classes, the first one
 * without this argument.
 * @return NULL for an unknown class, named in the log
 */
const struct vstate_class *vstate_devargs_class(const struct vstate_class *const *classes,
		unsigned int nb, const char *name, const char *args);

#endif /* VSTATE_DEVARGS_H */
