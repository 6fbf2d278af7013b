#include "spec/names.h"

#include <stddef.h>

#include "spec/nvme.h"

struct status_name {
	uint16_t sc11;
	const char *name;
};

static const char *const admin_opcodes[256] = {
	[NVME_ADMIN_DELETE_SQ] = "Delete I/O Submission Queue",
	[NVME_ADMIN_CREATE_SQ] = "Create I/O Submission Queue",
	[NVME_ADMIN_GET_LOG_PAGE] = "Get Log Page",
	[NVME_ADMIN_DELETE_CQ] = "Delete I/O Completion Queue",
	[NVME_ADMIN_CREATE_CQ] = "Create I/O Completion Queue",
	[NVME_ADMIN_IDENTIFY] = "Identify",
	[NVME_ADMIN_ABORT] = "Abort",
	[NVME_ADMIN_SET_FEATURES] = "Set Features",
	[NVME_ADMIN_GET_FEATURES] = "Get Features",
	[NVME_ADMIN_ASYNC_EVENT] = "Asynchronous Event Request",
	[NVME_ADMIN_NS_MANAGEMENT] = "Namespace Management",
	[NVME_ADMIN_FW_COMMIT] = "Firmware Commit",
	[NVME_ADMIN_FW_DOWNLOAD] = "Firmware Image Download",
	[NVME_ADMIN_SELF_TEST] = "Device Self-test",
	[NVME_ADMIN_NS_ATTACHMENT] = "Namespace Attachment",
	[NVME_ADMIN_KEEP_ALIVE] = "Keep Alive",
	[NVME_ADMIN_DIRECTIVE_SEND] = "Directive Send",
	[NVME_ADMIN_DIRECTIVE_RECEIVE] = "Directive Receive",
	[NVME_ADMIN_VIRTUALIZATION] = "Virtualization Management",
	[NVME_ADMIN_MI_SEND] = "NVMe-MI Send",
	[NVME_ADMIN_MI_RECEIVE] = "NVMe-MI Receive",
	[NVME_ADMIN_CAPACITY_MANAGEMENT] = "Capacity Management",
	[NVME_ADMIN_DISCOVERY_INFO_MANAGEMENT] = "Discovery Information Management",
	[NVME_ADMIN_FABRIC_ZONING_RECEIVE] = "Fabric Zoning Receive",
	[NVME_ADMIN_LOCKDOWN] = "Lockdown",
	[NVME_ADMIN_FABRIC_ZONING_LOOKUP] = "Fabric Zoning Lookup",
	[NVME_ADMIN_CLEAR_EXPORTED_CONFIG] = "Clear Exported NVM Resource Configuration",
	[NVME_ADMIN_FABRIC_ZONING_SEND] = "Fabric Zoning Send",
	[NVME_ADMIN_CREATE_EXPORTED_SUBSYSTEM] = "Create Exported NVM Subsystem",
	[NVME_ADMIN_MANAGE_EXPORTED_SUBSYSTEM] = "Manage Exported NVM Subsystem",
	[NVME_ADMIN_MANAGE_EXPORTED_NS] = "Manage Exported Namespace",
	[NVME_ADMIN_MANAGE_EXPORTED_PORT] = "Manage Exported Port",
	[NVME_ADMIN_SEND_DISCOVERY_LOG] = "Send Discovery Log Page",
	[NVME_ADMIN_TRACK_SEND] = "Track Send",
	[NVME_ADMIN_TRACK_RECEIVE] = "Track Receive",
	[NVME_ADMIN_MIGRATION_SEND] = "Migration Send",
	[NVME_ADMIN_MIGRATION_RECEIVE] = "Migration Receive",
	[NVME_ADMIN_CONTROLLER_DATA_QUEUE] = "Controller Data Queue",
	[NVME_ADMIN_DOORBELL_BUFFER_CONFIG] = "Doorbell Buffer Config",
	[NVME_ADMIN_FABRICS] = "Fabrics Commands",
	[NVME_ADMIN_FORMAT] = "Format NVM",
	[NVME_ADMIN_SECURITY_SEND] = "Security Send",
	[NVME_ADMIN_SECURITY_RECEIVE] = "Security Receive",
	[NVME_ADMIN_SANITIZE] = "Sanitize",
	[NVME_ADMIN_LOAD_PROGRAM] = "Load Program",
	[NVME_ADMIN_GET_LBA_STATUS] = "Get LBA Status",
	[NVME_ADMIN_PROGRAM_ACTIVATION] = "Program Activation Management",
	[NVME_ADMIN_MEMORY_RANGE_SET] = "Memory Range Set Management",
	[NVME_ADMIN_SANITIZE_NS] = "Sanitize Namespace",
};

static const char *const io_opcodes[256] = {
	[NVME_CMD_FLUSH] = "Flush",
	[NVME_CMD_WRITE] = "Write",
	[NVME_CMD_READ] = "Read",
	[NVME_CMD_WRITE_UNCORRECTABLE] = "Write Uncorrectable",
	[NVME_CMD_COMPARE] = "Compare",
	[NVME_CMD_WRITE_ZEROES] = "Write Zeroes",
	[NVME_CMD_DSM] = "Dataset Management",
	[NVME_CMD_VERIFY] = "Verify",
	[NVME_CMD_RESERVATION_REGISTER] = "Reservation Register",
	[NVME_CMD_RESERVATION_REPORT] = "Reservation Report",
	[NVME_CMD_RESERVATION_ACQUIRE] = "Reservation Acquire",
	[NVME_CMD_IO_MANAGEMENT_RECEIVE] = "I/O Management Receive",
	[NVME_CMD_RESERVATION_RELEASE] = "Reservation Release",
	[NVME_CMD_CANCEL] = "Cancel",
	[NVME_CMD_COPY] = "Copy",
	[NVME_CMD_IO_MANAGEMENT_SEND] = "I/O Management Send",
	[NVME_CMD_ZONE_MGMT_SEND] = "Zone Management Send",
	[NVME_CMD_ZONE_MGMT_RECEIVE] = "Zone Management Receive",
	[NVME_CMD_ZONE_APPEND] = "Zone Append",
};

static const char *const fctypes[256] = {
	[NVME_FCTYPE_PROPERTY_SET] = "Property Set",
	[NVME_FCTYPE_CONNECT] = "Connect",
	[NVME_FCTYPE_PROPERTY_GET] = "Property Get",
	[NVME_FCTYPE_AUTH_SEND] = "Authentication Send",
	[NVME_FCTYPE_AUTH_RECEIVE] = "Authentication Receive",
	[NVME_FCTYPE_DISCONNECT] = "Disconnect",
};

static const char *const features[256] = {
	[NVME_FEAT_ARBITRATION] = "Arbitration",
	[NVME_FEAT_POWER_MANAGEMENT] = "Power Management",
	[NVME_FEAT_LBA_RANGE] = "LBA Range Type",
	[NVME_FEAT_TEMPERATURE_THRESHOLD] = "Temperature Threshold",
	[NVME_FEAT_ERROR_RECOVERY] = "Error Recovery",
	[NVME_FEAT_VOLATILE_WRITE_CACHE] = "Volatile Write Cache",
	[NVME_FEAT_NUMBER_OF_QUEUES] = "Number of Queues",
	[NVME_FEAT_INTERRUPT_COALESCING] = "Interrupt Coalescing",
	[NVME_FEAT_INTERRUPT_VECTOR] = "Interrupt Vector Configuration",
	[NVME_FEAT_WRITE_ATOMICITY] = "Write Atomicity Normal",
	[NVME_FEAT_ASYNC_EVENT] = "Asynchronous Event Configuration",
	[NVME_FEAT_APST] = "Autonomous Power State Transition",
	[NVME_FEAT_HOST_MEMORY_BUFFER] = "Host Memory Buffer",
	[NVME_FEAT_TIMESTAMP] = "Timestamp",
	[NVME_FEAT_KEEP_ALIVE_TIMER] = "Keep Alive Timer",
	[NVME_FEAT_HCTM] = "Host Controlled Thermal Management",
	[NVME_FEAT_NON_OP_POWER_STATE] = "Non-Operational Power State Config",
	[NVME_FEAT_READ_RECOVERY_LEVEL] = "Read Recovery Level Config",
	[NVME_FEAT_PLM_CONFIG] = "Predictable Latency Mode Config",
	[NVME_FEAT_PLM_WINDOW] = "Predictable Latency Mode Window",
	[NVME_FEAT_LBA_STATUS_INTERVAL] = "LBA Status Information Report Interval",
	[NVME_FEAT_HOST_BEHAVIOR] = "Host Behavior Support",
	[NVME_FEAT_SANITIZE_CONFIG] = "Sanitize Config",
	[NVME_FEAT_ENDURANCE_GROUP_EVENT] = "Endurance Group Event Configuration",
	[NVME_FEAT_IOCS_PROFILE] = "I/O Command Set Profile",
	[NVME_FEAT_SPINUP_CONTROL] = "Spinup Control",
	[NVME_FEAT_POWER_LOSS_SIGNALING] = "Power Loss Signaling Config",
	[NVME_FEAT_PERFORMANCE] = "Performance Characteristics",
	[NVME_FEAT_FDP] = "Flexible Data Placement",
	[NVME_FEAT_FDP_EVENTS] = "Flexible Data Placement Events",
	[NVME_FEAT_NS_ADMIN_LABEL] = "Namespace Admin Label",
	[NVME_FEAT_CONTROLLER_DATA_QUEUE] = "Controller Data Queue",
	[NVME_FEAT_DEVICE_PERSONALITY] = "Configurable Device Personality",
	[NVME_FEAT_POWER_LIMIT] = "Power Limit",
	[NVME_FEAT_POWER_THRESHOLD] = "Power Threshold",
	[NVME_FEAT_POWER_MEASUREMENT] = "Power Measurement",
	[NVME_FEAT_EMBEDDED_MGMT_ADDRESS] = "Embedded Management Controller Address",
	[NVME_FEAT_HOST_MGMT_ADDRESS] = "Host Management Agent Address",
	[NVME_FEAT_ENHANCED_CTRL_METADATA] = "Enhanced Controller Metadata",
	[NVME_FEAT_CTRL_METADATA] = "Controller Metadata",
	[NVME_FEAT_NS_METADATA] = "Namespace Metadata",
	[NVME_FEAT_SOFTWARE_PROGRESS] = "Software Progress Marker",
	[NVME_FEAT_HOST_ID] = "Host Identifier",
	[NVME_FEAT_RESERVATION_MASK] = "Reservation Notification Mask",
	[NVME_FEAT_RESERVATION_PERSISTENCE] = "Reservation Persistence",
	[NVME_FEAT_NS_WRITE_PROTECT] = "Namespace Write Protection Config",
	[NVME_FEAT_BOOT_PARTITION_PROTECT] = "Boot Partition Write Protection Config",
};

static const char *const logs[256] = {
	[NVME_LOG_SUPPORTED_LOG_PAGES] = "Supported Log Pages",
	[NVME_LOG_ERROR] = "Error Information",
	[NVME_LOG_SMART] = "SMART / Health Information",
	[NVME_LOG_FW_SLOT] = "Firmware Slot Information",
	[NVME_LOG_CHANGED_NS] = "Changed Attached Namespace List",
	[NVME_LOG_EFFECTS] = "Commands Supported and Effects",
	[NVME_LOG_SELF_TEST] = "Device Self-test",
	[NVME_LOG_TELEMETRY_HOST] = "Telemetry Host-Initiated",
	[NVME_LOG_TELEMETRY_CTRL] = "Telemetry Controller-Initiated",
	[NVME_LOG_ENDURANCE_GROUP] = "Endurance Group Information",
	[NVME_LOG_PLM_NVM_SET] = "Predictable Latency Per NVM Set",
	[NVME_LOG_PLM_EVENT] = "Predictable Latency Event Aggregate",
	[NVME_LOG_ANA] = "Asymmetric Namespace Access",
	[NVME_LOG_PERSISTENT_EVENT] = "Persistent Event Log",
	[NVME_LOG_LBA_STATUS] = "LBA Status Information",
	[NVME_LOG_ENDURANCE_GROUP_EVENT] = "Endurance Group Event Aggregate",
	[NVME_LOG_MEDIA_UNIT_STATUS] = "Media Unit Status",
	[NVME_LOG_CAPACITY_CONFIG] = "Supported Capacity Configuration List",
	[NVME_LOG_FEATURE_EFFECTS] = "Feature Identifiers Supported and Effects",
	[NVME_LOG_MI_EFFECTS] = "NVMe-MI Commands Supported and Effects",
	[NVME_LOG_LOCKDOWN] = "Command and Feature Lockdown",
	[NVME_LOG_BOOT_PARTITION] = "Boot Partition",
	[NVME_LOG_ROTATIONAL_MEDIA] = "Rotational Media Information",
	[NVME_LOG_DISPERSED_NS] = "Dispersed Namespace Participating NVM Subsystems",
	[NVME_LOG_MGMT_ADDRESS] = "Management Address List",
	[NVME_LOG_PHY_RX_EOM] = "Physical Interface Receiver Eye Opening Measurement",
	[NVME_LOG_REACHABILITY_GROUPS] = "Reachability Groups",
	[NVME_LOG_REACHABILITY_ASSOCIATIONS] = "Reachability Associations",
	[NVME_LOG_CHANGED_ALLOCATED_NS] = "Changed Allocated Namespace List",
	[NVME_LOG_FDP_CONFIGS] = "FDP Configurations",
	[NVME_LOG_FDP_RUH_USAGE] = "Reclaim Unit Handle Usage",
	[NVME_LOG_FDP_STATS] = "FDP Statistics",
	[NVME_LOG_FDP_EVENTS] = "FDP Events",
	[NVME_LOG_DISCOVERY] = "Discovery",
	[NVME_LOG_HOST_DISCOVERY] = "Host Discovery",
	[NVME_LOG_AVE_DISCOVERY] = "AVE Discovery",
	[NVME_LOG_RESERVATION] = "Reservation Notification",
	[NVME_LOG_SANITIZE] = "Sanitize Status",
	[NVME_LOG_CHANGED_ZONES] = "Changed Zone List",
};

static const struct status_name statuses[] = {
	{ NVME_SC_SUCCESS, "Successful Completion" },
	{ NVME_SC_INVALID_OPCODE, "Invalid Command Opcode" },
	{ NVME_SC_INVALID_FIELD, "Invalid Field in Command" },
	{ NVME_SC_CID_CONFLICT, "Command ID Conflict" },
	{ NVME_SC_DATA_TRANSFER_ERROR, "Data Transfer Error" },
	{ NVME_SC_ABORTED_POWER_LOSS, "Commands Aborted due to Power Loss Notification" },
	{ NVME_SC_INTERNAL_ERROR, "Internal Error" },
	{ NVME_SC_ABORT_REQUESTED, "Command Abort Requested" },
	{ NVME_SC_ABORTED_SQ_DELETION, "Command Aborted due to SQ Deletion" },
	{ NVME_SC_ABORTED_FAILED_FUSED, "Command Aborted due to Failed Fused Command" },
	{ NVME_SC_ABORTED_MISSING_FUSED, "Command Aborted due to Missing Fused Command" },
	{ NVME_SC_INVALID_NS, "Invalid Namespace or Format" },
	{ NVME_SC_SEQUENCE_ERROR, "Command Sequence Error" },
	{ NVME_SC_SGL_INVALID_SEGMENT, "Invalid SGL Segment Descriptor" },
	{ NVME_SC_SGL_INVALID_COUNT, "Invalid Number of SGL Descriptors" },
	{ NVME_SC_SGL_INVALID_DATA_LENGTH, "Data SGL Length Invalid" },
	{ NVME_SC_SGL_INVALID_METADATA_LENGTH, "Metadata SGL Length Invalid" },
	{ NVME_SC_SGL_INVALID_TYPE, "SGL Descriptor Type Invalid" },
	{ NVME_SC_INVALID_CMB_USE, "Invalid Use of Controller Memory Buffer" },
	{ NVME_SC_PRP_INVALID_OFFSET, "PRP Offset Invalid" },
	{ NVME_SC_ATOMIC_WRITE_UNIT_EXCEEDED, "Atomic Write Unit Exceeded" },
	{ NVME_SC_OPERATION_DENIED, "Operation Denied" },
	{ NVME_SC_SGL_INVALID_OFFSET, "SGL Offset Invalid" },
	{ NVME_SC_HOST_ID_INCONSISTENT_FORMAT, "Host Identifier Inconsistent Format" },
	{ NVME_SC_KEEP_ALIVE_EXPIRED, "Keep Alive Timer Expired" },
	{ NVME_SC_KEEP_ALIVE_INVALID, "Keep Alive Timeout Invalid" },
	{ NVME_SC_ABORTED_PREEMPT, "Command Aborted due to Preempt and Abort" },
	{ NVME_SC_SANITIZE_FAILED, "Sanitize Failed" },
	{ NVME_SC_SANITIZE_IN_PROGRESS, "Sanitize In Progress" },
	{ NVME_SC_SGL_INVALID_GRANULARITY, "SGL Data Block Granularity Invalid" },
	{ NVME_SC_NOT_SUPPORTED_IN_CMB, "Command Not Supported for Queue in CMB" },
	{ NVME_SC_NS_WRITE_PROTECTED, "Namespace is Write Protected" },
	{ NVME_SC_INTERRUPTED, "Command Interrupted" },
	{ NVME_SC_TRANSIENT_TRANSPORT_ERROR, "Transient Transport Error" },
	{ NVME_SC_PROHIBITED_BY_LOCKDOWN, "Command Prohibited by Command and Feature Lockdown" },
	{ NVME_SC_ADMIN_MEDIA_NOT_READY, "Admin Command Media Not Ready" },
	{ NVME_SC_INVALID_KEY_TAG, "Invalid Key Tag" },
	{ NVME_SC_DISPERSED_NS_NOT_ENABLED, "Host Dispersed Namespace Support Not Enabled" },
	{ NVME_SC_HOST_ID_NOT_INITIALIZED, "Host Identifier Not Initialized" },
	{ NVME_SC_INCORRECT_KEY, "Incorrect Key" },
	{ NVME_SC_FDP_DISABLED, "FDP Disabled" },
	{ NVME_SC_INVALID_PLACEMENT_HANDLE_LIST, "Invalid Placement Handle List" },
	{ NVME_SC_LBA_OUT_OF_RANGE, "LBA Out of Range" },
	{ NVME_SC_CAPACITY_EXCEEDED, "Capacity Exceeded" },
	{ NVME_SC_NS_NOT_READY, "Namespace Not Ready" },
	{ NVME_SC_RESERVATION_CONFLICT, "Reservation Conflict" },
	{ NVME_SC_FORMAT_IN_PROGRESS, "Format In Progress" },
	{ NVME_SC_KV_INVALID_VALUE_SIZE, "Invalid Value Size" },
	{ NVME_SC_KV_INVALID_KEY_SIZE, "Invalid Key Size" },
	{ NVME_SC_KV_KEY_DOES_NOT_EXIST, "KV Key Does Not Exist" },
	{ NVME_SC_KV_UNRECOVERED_ERROR, "Unrecovered Error" },
	{ NVME_SC_KV_KEY_EXISTS, "Key Exists" },
	{ NVME_SC_CQ_INVALID, "Completion Queue Invalid" },
	{ NVME_SC_INVALID_QUEUE_ID, "Invalid Queue Identifier" },
	{ NVME_SC_INVALID_QUEUE_SIZE, "Invalid Queue Size" },
	{ NVME_SC_ABORT_LIMIT_EXCEEDED, "Abort Command Limit Exceeded" },
	{ NVME_SC_AER_LIMIT_EXCEEDED, "Asynchronous Event Request Limit Exceeded" },
	{ NVME_SC_INVALID_FW_SLOT, "Invalid Firmware Slot" },
	{ NVME_SC_INVALID_FW_IMAGE, "Invalid Firmware Image" },
	{ NVME_SC_INVALID_INTERRUPT_VECTOR, "Invalid Interrupt Vector" },
	{ NVME_SC_INVALID_LOG_PAGE, "Invalid Log Page" },
	{ NVME_SC_INVALID_FORMAT, "Invalid Format" },
	{ NVME_SC_FW_REQUIRES_CONVENTIONAL_RESET,
	  "Firmware Activation Requires Conventional Reset" },
	{ NVME_SC_INVALID_QUEUE_DELETION, "Invalid Queue Deletion" },
	{ NVME_SC_FEATURE_NOT_SAVEABLE, "Feature Identifier Not Saveable" },
	{ NVME_SC_FEATURE_NOT_CHANGEABLE, "Feature Not Changeable" },
	{ NVME_SC_FEATURE_NOT_NS_SPECIFIC, "Feature Not Namespace Specific" },
	{ NVME_SC_FW_REQUIRES_SUBSYSTEM_RESET, "Firmware Activation Requires NVM Subsystem Reset" },
	{ NVME_SC_FW_REQUIRES_RESET, "Firmware Activation Requires Controller Level Reset" },
	{ NVME_SC_FW_MAX_TIME_VIOLATION, "Firmware Activation Requires Maximum Time Violation" },
	{ NVME_SC_FW_ACTIVATION_PROHIBITED, "Firmware Activation Prohibited" },
	{ NVME_SC_OVERLAPPING_RANGE, "Overlapping Range" },
	{ NVME_SC_NS_INSUFFICIENT_CAPACITY, "Namespace Insufficient Capacity" },
	{ NVME_SC_NSID_UNAVAILABLE, "Namespace Identifier Unavailable" },
	{ NVME_SC_NS_ALREADY_ATTACHED, "Namespace Already Attached" },
	{ NVME_SC_NS_IS_PRIVATE, "Namespace Is Private" },
	{ NVME_SC_NS_NOT_ATTACHED, "Namespace Not Attached" },
	{ NVME_SC_THIN_PROVISIONING_NOT_SUPPORTED, "Thin Provisioning Not Supported" },
	{ NVME_SC_CONTROLLER_LIST_INVALID, "Controller List Invalid" },
	{ NVME_SC_SELF_TEST_IN_PROGRESS, "Device Self-test In Progress" },
	{ NVME_SC_BOOT_PARTITION_WRITE_PROHIBITED, "Boot Partition Write Prohibited" },
	{ NVME_SC_INVALID_CONTROLLER_ID, "Invalid Controller Identifier" },
	{ NVME_SC_INVALID_SECONDARY_STATE, "Invalid Secondary Controller State" },
	{ NVME_SC_INVALID_RESOURCE_COUNT, "Invalid Number of Controller Resources" },
	{ NVME_SC_INVALID_RESOURCE_ID, "Invalid Resource Identifier" },
	{ NVME_SC_SANITIZE_PROHIBITED_PMR,
	  "Sanitize Prohibited While Persistent Memory Region is Enabled" },
	{ NVME_SC_ANA_GROUP_ID_INVALID, "ANA Group Identifier Invalid" },
	{ NVME_SC_ANA_ATTACH_FAILED, "ANA Attach Failed" },
	{ NVME_SC_INSUFFICIENT_CAPACITY, "Insufficient Capacity" },
	{ NVME_SC_NS_ATTACHMENT_LIMIT, "Namespace Attachment Limit Exceeded" },
	{ NVME_SC_LOCKDOWN_NOT_SUPPORTED, "Prohibition of Command Execution Not Supported" },
	{ NVME_SC_IOCS_NOT_SUPPORTED, "I/O Command Set Not Supported" },
	{ NVME_SC_IOCS_NOT_ENABLED, "I/O Command Set Not Enabled" },
	{ NVME_SC_IOCS_COMBINATION_REJECTED, "I/O Command Set Combination Rejected" },
	{ NVME_SC_INVALID_IOCS, "Invalid I/O Command Set" },
	{ NVME_SC_ID_UNAVAILABLE, "Identifier Unavailable" },
	{ NVME_SC_NS_IS_DISPERSED, "Namespace Is Dispersed" },
	{ NVME_SC_INVALID_DISCOVERY_INFO, "Invalid Discovery Information" },
	{ NVME_SC_ZONING_DATA_LOCKED, "Zoning Data Structure Locked" },
	{ NVME_SC_ZONING_DATA_NOT_FOUND, "Zoning Data Structure Not Found" },
	{ NVME_SC_INSUFFICIENT_DISCOVERY_RESOURCES, "Insufficient Discovery Resources" },
	{ NVME_SC_FUNCTION_DISABLED, "Requested Function Disabled" },
	{ NVME_SC_ZONEGROUP_ORIGINATOR_INVALID, "ZoneGroup Originator Invalid" },
	{ NVME_SC_INVALID_HOST, "Invalid Host" },
	{ NVME_SC_INVALID_SUBSYSTEM, "Invalid NVM Subsystem" },
	{ NVME_SC_INVALID_CDQ, "Invalid Controller Data Queue" },
	{ NVME_SC_NOT_ENOUGH_RESOURCES, "Not Enough Resources" },
	{ NVME_SC_CONTROLLER_SUSPENDED, "Controller Suspended" },
	{ NVME_SC_CONTROLLER_NOT_SUSPENDED, "Controller Not Suspended" },
	{ NVME_SC_CDQ_FULL, "Controller Data Queue Full" },
	{ NVME_SC_CONFLICTING_ATTRIBUTES, "Conflicting Attributes" },
	{ NVME_SC_INVALID_PI, "Invalid Protection Information" },
	{ NVME_SC_WRITE_TO_READ_ONLY, "Attempted Write to Read Only Range" },
	{ NVME_SC_SIZE_LIMIT_EXCEEDED, "Command Size Limit Exceeded" },
	{ NVME_SC_INVALID_CMD_ID, "Invalid Command ID" },
	{ NVME_SC_INCOMPATIBLE_NS, "Incompatible Namespace or Format" },
	{ NVME_SC_FAST_COPY_NOT_POSSIBLE, "Fast Copy Not Possible" },
	{ NVME_SC_OVERLAPPING_IO_RANGE, "Overlapping I/O Range" },
	{ NVME_SC_NS_NOT_REACHABLE, "Namespace Not Reachable" },
	{ NVME_SC_INSUFFICIENT_RESOURCES, "Insufficient Resources" },
	{ NVME_SC_ZONE_INVALID_OPERATION, "Invalid Zone Operation Request" },
	{ NVME_SC_ZONE_ZRWA_UNAVAILABLE, "ZRWA Resources Unavailable" },
	{ NVME_SC_ZONE_BOUNDARY_ERROR, "Zoned Boundary Error" },
	{ NVME_SC_ZONE_IS_FULL, "Zone Is Full" },
	{ NVME_SC_ZONE_IS_READ_ONLY, "Zone Is Read Only" },
	{ NVME_SC_ZONE_IS_OFFLINE, "Zone Is Offline" },
	{ NVME_SC_ZONE_INVALID_WRITE, "Zone Invalid Write" },
	{ NVME_SC_ZONE_TOO_MANY_ACTIVE, "Too Many Active Zones" },
	{ NVME_SC_ZONE_TOO_MANY_OPEN, "Too Many Open Zones" },
	{ NVME_SC_ZONE_INVALID_TRANSITION, "Invalid Zone State Transition" },
	{ NVME_SC_WRITE_FAULT, "Write Fault" },
	{ NVME_SC_UNRECOVERED_READ, "Unrecovered Read Error" },
	{ NVME_SC_GUARD_CHECK, "End-to-end Guard Check Error" },
	{ NVME_SC_APPTAG_CHECK, "End-to-end Application Tag Check Error" },
	{ NVME_SC_REFTAG_CHECK, "End-to-end Reference Tag Check Error" },
	{ NVME_SC_COMPARE_FAILURE, "Compare Failure" },
	{ NVME_SC_ACCESS_DENIED, "Access Denied" },
	{ NVME_SC_DEALLOCATED, "Deallocated or Unwritten Logical Block" },
	{ NVME_SC_STORAGE_TAG_CHECK, "End-to-End Storage Tag Check Error" },
	{ NVME_SC_INTERNAL_PATH_ERROR, "Internal Path Error" },
	{ NVME_SC_ANA_PERSISTENT_LOSS, "Asymmetric Access Persistent Loss" },
	{ NVME_SC_ANA_INACCESSIBLE, "Asymmetric Access Inaccessible" },
	{ NVME_SC_ANA_TRANSITION, "Asymmetric Access Transition" },
	{ NVME_SC_CONTROLLER_PATHING_ERROR, "Controller Pathing Error" },
	{ NVME_SC_HOST_PATHING_ERROR, "Host Pathing Error" },
	{ NVME_SC_ABORTED_BY_HOST, "Command Aborted By Host" },
};

static const struct status_name fabrics_statuses[] = {
	{ NVME_SC_CONNECT_INCOMPATIBLE_FORMAT, "Connect Incompatible Format" },
	{ NVME_SC_CONNECT_CONTROLLER_BUSY, "Connect Controller Busy" },
	{ NVME_SC_CONNECT_INVALID_PARAM, "Connect Invalid Parameters" },
	{ NVME_SC_CONNECT_RESTART_DISCOVERY, "Connect Restart Discovery" },
	{ NVME_SC_CONNECT_INVALID_HOST, "Connect Invalid Host" },
	{ NVME_SC_INVALID_QUEUE_TYPE, "Invalid Queue Type" },
	{ NVME_SC_DISCOVER_RESTART, "Discover Restart" },
	{ NVME_SC_AUTHENTICATION_REQUIRED, "Authentication Required" },
};

static const char unknown[] = "Unknown";
static const char vendor[] = "Vendor specific";

static const char *name_of(const char *const *table, uint8_t index, unsigned vendor_first)
{
	if (table[index])
		return table[index];
	return index >= vendor_first ? vendor : unknown;
}

static const char *status_of(const struct status_name *table, size_t count, uint16_t sc11)
{
	for (size_t i = 0; i < count; i++) {
		if (table[i].sc11 == sc11)
			return table[i].name;
	}
	return NULL;
}

const char *nvme_admin_opcode_name(uint8_t opcode)
{
	return name_of(admin_opcodes, opcode, NVME_ADMIN_VENDOR_FIRST);
}

const char *nvme_io_opcode_name(uint8_t opcode)
{
	return name_of(io_opcodes, opcode, NVME_CMD_VENDOR_FIRST);
}

const char *nvme_fctype_name(uint8_t fctype)
{
	return name_of(fctypes, fctype, NVME_ADMIN_VENDOR_FIRST);
}

const char *nvme_feature_name(uint8_t fid)
{
	return name_of(features, fid, NVME_FEAT_VENDOR_FIRST);
}

const char *nvme_log_name(uint8_t lid)
{
	return name_of(logs, lid, NVME_LOG_VENDOR_FIRST);
}

const char *nvme_status_name(uint16_t sc11)
{
	const char *name = status_of(statuses, sizeof(statuses) / sizeof(statuses[0]), sc11);

	if (name)
		return name;
	if (nvme_sc_sct(sc11) == NVME_SCT_VENDOR || nvme_sc_sc(sc11) >= 0xc0)
		return vendor;
	return unknown;
}

const char *nvme_fabrics_status_name(uint16_t sc11)
{
	const char *name = status_of(fabrics_statuses,
				     sizeof(fabrics_statuses) / sizeof(fabrics_statuses[0]), sc11);

	return name ? name : nvme_status_name(sc11);
}
