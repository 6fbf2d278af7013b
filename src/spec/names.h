/*
 * Names of numbers, spelled as the standards spell them. Never NULL: an unknown number is
 * "Unknown", one in a vendor range "Vendor specific".
 */
#ifndef SPEC_NAMES_H
#define SPEC_NAMES_H

#include <stdint.h>

/** nvme_admin_opcode_name() - name of an admin command, for example "Identify". */
const char *nvme_admin_opcode_name(uint8_t opcode);

/** nvme_io_opcode_name() - name of an NVM or ZNS command, for example "Write Zeroes". */
const char *nvme_io_opcode_name(uint8_t opcode);

/** nvme_fctype_name() - name of a fabrics command by its FCTYPE, for example "Connect". */
const char *nvme_fctype_name(uint8_t fctype);

/**
 * nvme_status_name() - name of a status code
 * @sc11: NVME_SC_* value, SCT << 8 | SC
 */
const char *nvme_status_name(uint16_t sc11);

/**
 * nvme_fabrics_status_name() - the same for the completion of a fabrics command, whose command
 * specific codes from 80h on differ from the NVM Command Set's.
 */
const char *nvme_fabrics_status_name(uint16_t sc11);

/** nvme_feature_name() - name of a feature identifier. */
const char *nvme_feature_name(uint8_t fid);

/** nvme_log_name() - name of a log page identifier. */
const char *nvme_log_name(uint8_t lid);

#endif
