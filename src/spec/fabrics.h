/*
 * Fabrics commands (opcode 7Fh) and the discovery log page: NVMe Base 2.1 sections 6 and 5.1.12.3.
 */
#ifndef SPEC_FABRICS_H
#define SPEC_FABRICS_H

#include "spec/nvme.h"

#define NVME_NQN_BYTES	    256u /* field size; a name is at most 223 bytes and a zero */
#define NVME_NQN_MAX	    223u
#define NVME_DISCOVERY_NQN  "nqn.2014-08.org.nvmexpress.discovery"
#define NVME_TCP_PORT	    4420u
#define NVME_DISCOVERY_PORT 8009u

/** struct nvme_fabrics_cmd - what every fabrics command has in common */
struct nvme_fabrics_cmd {
	uint8_t opc; /* NVME_ADMIN_FABRICS */
	uint8_t flags;
	uint16_t cid;
	uint8_t fctype; /* NVME_FCTYPE_* */
	uint8_t rsvd5[19];
	struct nvme_sgl_desc sgl1;
	uint8_t specific[24];
};
WIRE_SIZE(struct nvme_fabrics_cmd, 64);
WIRE_OFFSET(struct nvme_fabrics_cmd, sgl1, 24);

/** struct nvme_connect_cmd - Connect; its data is struct nvme_connect_data */
struct nvme_connect_cmd {
	uint8_t opc;
	uint8_t flags;
	uint16_t cid;
	uint8_t fctype;
	uint8_t rsvd5[19];
	struct nvme_sgl_desc sgl1;
	uint16_t recfmt;
	uint16_t qid;
	uint16_t sqsize; /* zero based */
	uint8_t cattr;	 /* NVME_CATTR_* */
	uint8_t rsvd47;
	uint32_t kato; /* ms */
	uint8_t rsvd52[12];
};
WIRE_SIZE(struct nvme_connect_cmd, 64);
WIRE_OFFSET(struct nvme_connect_cmd, recfmt, 40);

#define NVME_CATTR_PRIORITY_MASK  0x03u
#define NVME_CATTR_DISABLE_SQFLOW 0x04u /* no SQHD flow control */
#define NVME_CATTR_QUEUE_DELETION 0x08u /* individual I/O queue deletion */
#define NVME_CNTLID_DYNAMIC	  0xffffu
#define NVME_CNTLID_STATIC_ANY	  0xfffeu

/** struct nvme_connect_data - data of Connect */
struct nvme_connect_data {
	uint8_t hostid[16];
	uint16_t cntlid;
	uint8_t rsvd18[238];
	char subnqn[256];
	char hostnqn[256];
	uint8_t rsvd768[256];
};
WIRE_SIZE(struct nvme_connect_data, 1024);

/* completion CDW0 of Connect: controller id, authentication requirements; or, with status
 * Connect Invalid Parameters, where the offending field is
 */
#define NVME_CONNECT_CNTLID_SHIFT 0
#define NVME_CONNECT_CNTLID_MASK  0xffffu
#define NVME_CONNECT_ATR	  0x00020000u
#define NVME_CONNECT_ASCR	  0x00040000u
#define NVME_CONNECT_IPO_SHIFT	  0 /* Invalid Parameter Offset */
#define NVME_CONNECT_IPO_MASK	  0xffffu
#define NVME_CONNECT_IATTR_DATA	  0x00010000u /* offset is into the data, not the SQE */

/** struct nvme_property_cmd - Property Get and Property Set */
struct nvme_property_cmd {
	uint8_t opc;
	uint8_t flags;
	uint16_t cid;
	uint8_t fctype;
	uint8_t rsvd5[35];
	uint8_t attrib; /* NVME_PROPERTY_SIZE_* */
	uint8_t rsvd41[3];
	uint32_t ofst;
	uint64_t value; /* Set */
	uint8_t rsvd56[8];
};
WIRE_SIZE(struct nvme_property_cmd, 64);
WIRE_OFFSET(struct nvme_property_cmd, ofst, 44);

#define NVME_PROPERTY_SIZE_4 0x0u
#define NVME_PROPERTY_SIZE_8 0x1u

/** struct nvme_disconnect_cmd - Disconnect, on an I/O queue */
struct nvme_disconnect_cmd {
	uint8_t opc;
	uint8_t flags;
	uint16_t cid;
	uint8_t fctype;
	uint8_t rsvd5[35];
	uint16_t recfmt;
	uint8_t rsvd42[22];
};
WIRE_SIZE(struct nvme_disconnect_cmd, 64);

/** struct nvme_discovery_entry - one subsystem of the discovery log page */
struct nvme_discovery_entry {
	uint8_t trtype;	 /* NVME_TRTYPE_* */
	uint8_t adrfam;	 /* NVME_ADRFAM_* */
	uint8_t subtype; /* NVME_SUBTYPE_* */
	uint8_t treq;
	uint16_t portid;
	uint16_t cntlid;
	uint16_t asqsz;
	uint16_t eflags;
	uint8_t rsvd12[20];
	char trsvcid[32]; /* ASCII, space padded */
	uint8_t rsvd64[192];
	char subnqn[256];
	char traddr[256];  /* ASCII, space padded */
	uint8_t tsas[256]; /* TCP: byte 0 is the security type */
};
WIRE_SIZE(struct nvme_discovery_entry, 1024);

/** struct nvme_discovery_log - header of log page 70h */
struct nvme_discovery_log {
	uint64_t genctr;
	uint64_t numrec;
	uint16_t recfmt;
	uint8_t rsvd18[1006];
	struct nvme_discovery_entry entry[];
};
WIRE_SIZE(struct nvme_discovery_log, 1024);

#define NVME_TRTYPE_PCIE       0x00u /* not in a discovery log */
#define NVME_TRTYPE_RDMA       0x01u
#define NVME_TRTYPE_FC	       0x02u
#define NVME_TRTYPE_TCP	       0x03u
#define NVME_TRTYPE_LOOP       0xfeu
#define NVME_ADRFAM_IPV4       0x01u
#define NVME_ADRFAM_IPV6       0x02u
#define NVME_SUBTYPE_REFERRAL  0x01u
#define NVME_SUBTYPE_NVM       0x02u
#define NVME_SUBTYPE_DISCOVERY 0x03u /* the discovery subsystem itself */
#define NVME_TREQ_SECURE_MASK  0x03u /* 0 not specified, 1 required, 2 not required */
#define NVME_TREQ_NO_SQFLOW    0x04u /* SQ flow control may be disabled */
#define NVME_TSAS_TCP_NONE     0x00u

#endif
