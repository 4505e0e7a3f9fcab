//! Codes of diagnostics: stable, each with its cause and its way out in `docs/diagnostics.md`, each covered by a test.

// File and structure

/// A file is missing or may not be read.
pub const NO_FILE: &str = "E1001";
/// A file is no UTF-8 text, or too large.
pub const NOT_TEXT: &str = "E1002";
/// No valid YAML.
pub const SYNTAX: &str = "E1003";
/// YAML that expands beyond its limits.
pub const TOO_MUCH: &str = "E1004";
/// An unknown key.
pub const UNKNOWN_KEY: &str = "E1005";
/// A value of the wrong type or with a unit.
pub const WRONG_TYPE: &str = "E1006";
/// A missing key.
pub const MISSING_KEY: &str = "E1007";
/// A key given twice.
pub const DUPLICATE_KEY: &str = "E1008";
/// A word that is not among the allowed ones.
pub const UNKNOWN_VALUE: &str = "E1009";
/// A format that this version does not read.
pub const WRONG_FORMAT: &str = "E1010";
/// None or several of keys that exclude each other.
pub const EXACTLY_ONE: &str = "E1011";
/// A workload without a part that its kind needs.
pub const MISSING_PART: &str = "E1012";
/// A part that does not belong to the workload's kind.
pub const PART_OF_ANOTHER_KIND: &str = "E1013";

// Names and references

/// A name with characters that are not allowed.
pub const BAD_NAME: &str = "E1101";
/// A name given twice.
pub const DUPLICATE_NAME: &str = "E1102";
/// An unknown region.
pub const UNKNOWN_REGION: &str = "E1103";
/// An unknown instance type.
pub const UNKNOWN_INSTANCE_TYPE: &str = "E1104";
/// An unknown accelerator.
pub const UNKNOWN_ACCELERATOR: &str = "E1105";
/// An unknown profile.
pub const UNKNOWN_PROFILE: &str = "E1106";
/// An unknown node group.
pub const UNKNOWN_NODE_GROUP: &str = "E1107";
/// An unknown workload.
pub const UNKNOWN_WORKLOAD: &str = "E1108";
/// A quota of an unknown family.
pub const UNKNOWN_FAMILY: &str = "E1109";
/// An unknown time zone.
pub const UNKNOWN_TIME_ZONE: &str = "E1110";
/// A precision that the profile lacks.
pub const UNKNOWN_PRECISION: &str = "E1111";
/// A source that the profile does not list.
pub const UNKNOWN_SOURCE: &str = "E1112";
/// A profile in a file of another name.
pub const NAME_OF_FILE: &str = "E1113";
/// An instance type with a part of a GPU.
pub const PART_OF_A_GPU: &str = "E1114";
/// No region.
pub const NO_REGION: &str = "E1115";
/// No workload.
pub const NO_WORKLOAD: &str = "E1116";

// Values

/// NaN or infinity.
pub const NOT_FINITE: &str = "E1201";
/// A number out of its bounds.
pub const OUT_OF_RANGE: &str = "E1202";
/// A share that is not between 0 and 1.
pub const NOT_A_SHARE: &str = "E1203";
/// A day that is none.
pub const BAD_DATE: &str = "E1204";
/// An anchor that is no Monday.
pub const NO_MONDAY: &str = "E1205";
/// Text that is empty, too long or not one line.
pub const BAD_TEXT: &str = "E1206";
/// A time of the week that is none.
pub const BAD_TIME: &str = "E1207";
/// A zone that is not a whole number of hours from UTC (note).
pub const ROUNDED_ZONE: &str = "E1208";

// Demand

/// An empty series or trace.
pub const EMPTY_CSV: &str = "E1301";
/// A missing column.
pub const NO_COLUMN: &str = "E1302";
/// A cell that is no number to plan with.
pub const BAD_CELL: &str = "E1303";
/// Rows that are not in the order of time.
pub const OUT_OF_ORDER: &str = "E1304";
/// A series with uneven steps.
pub const UNEVEN_STEPS: &str = "E1305";
/// A series of less than a day.
pub const SHORT_SERIES: &str = "E1306";
/// A trace of less than a day.
pub const SHORT_TRACE: &str = "E1307";
/// A series that does not start at midnight.
pub const OFF_MIDNIGHT: &str = "E1308";
/// A shape without 24 factors a day.
pub const NOT_24: &str = "E1309";
/// A demand of zero.
pub const NO_DEMAND: &str = "E1310";
/// An LLM service without token lengths.
pub const NO_TOKENS: &str = "E1311";
/// Token lengths where there are no tokens.
pub const TOKENS_OF_ANOTHER_KIND: &str = "E1312";
/// A 95th percentile below the mean (warning).
pub const ODD_TOKENS: &str = "E1313";
/// A trace too short for burstiness (warning).
pub const FEW_REQUESTS: &str = "E1314";
/// Days that are repeated to a week (note).
pub const REPEATED_DAYS: &str = "E1315";
/// A stream that is scaled down (note).
pub const THINNED: &str = "E1316";
/// Burstiness that is assumed (note).
pub const ASSUMED_POISSON: &str = "E1317";
/// Load that grows faster than replicas start (note).
pub const UNTRACKABLE: &str = "E1318";

// Workloads and profiles

/// An objective without limits.
pub const NO_LIMIT: &str = "E1401";
/// A limit given twice.
pub const LIMIT_TWICE: &str = "E1402";
/// An attainment out of (0, 1).
pub const BAD_ATTAINMENT: &str = "E1403";
/// Limits that imply different attainments.
pub const ATTAINMENT_TWICE: &str = "E1404";
/// An attainment that is assumed (note).
pub const DEFAULT_ATTAINMENT: &str = "E1405";
/// A limit on tokens where there are none.
pub const LIMIT_OF_ANOTHER_KIND: &str = "E1406";
/// A profile of another kind than the workload.
pub const PROFILE_OF_ANOTHER_KIND: &str = "E1407";
/// A profile that fits no offering.
pub const FITS_NOWHERE: &str = "E1408";
/// Mode reactive without a metric.
pub const REACTIVE_WITHOUT_METRICS: &str = "E1409";
/// No scaling mode.
pub const NO_MODE: &str = "E1410";
/// Zero replicas without a metric that survives them.
pub const NOTHING_WAKES_IT: &str = "E1411";
/// Held requests that time out before a replica is up.
pub const HOLD_TOO_LONG: &str = "E1412";
/// Spot for a job that cannot lose a worker.
pub const SPOT_WITHOUT_CHECKPOINT: &str = "E1413";
/// A job without runs.
pub const NO_RUNS: &str = "E1414";
/// A deadline that is not after its release.
pub const DEADLINE_BEFORE_RELEASE: &str = "E1415";
/// An operating point of today that the profile lacks (note).
pub const TODAY_NOT_PROFILED: &str = "E1416";
/// A profile without operating points.
pub const NO_VARIANT: &str = "E1417";
/// An operating point without the block of its kind.
pub const WRONG_BLOCK: &str = "E1418";
/// A curve or table that is none.
pub const BAD_TABLE: &str = "E1419";
/// A service at zero that nothing but chance wakes (warning).
pub const WAKES_BY_CHANCE: &str = "E1420";
/// A part of a GPU that is none, or that a point cannot be on.
pub const BAD_SLICE: &str = "E1421";

// Fleet and policy

/// A node group without a price.
pub const NO_PRICE: &str = "E1501";
/// A commitment that has ended.
pub const EXPIRED_COMMITMENT: &str = "E1502";
/// Replicas that do not fit their node group.
pub const DOES_NOT_FIT_GROUP: &str = "E1503";
/// A fleet beyond what is counted.
pub const BILL_TOO_LARGE: &str = "E1504";
/// A node autoscaler of another cloud.
pub const WRONG_AUTOSCALER: &str = "E1505";
/// Regions of several clouds (warning).
pub const TWO_CLOUDS: &str = "E1506";
/// A frozen workload that runs nowhere.
pub const FROZEN_NOWHERE: &str = "E1507";
/// Cases whose probabilities do not sum to 1.
pub const PROBABILITIES: &str = "E1520";

// Commitments to buy

/// A term that no cloud sells.
pub const BAD_TERM: &str = "E1601";
/// Money that does not go with the way to pay.
pub const ODD_PAYMENT: &str = "E1602";
/// A kind of commitment that the machine's cloud does not sell.
pub const NOT_SOLD: &str = "E1603";
/// A product that is dearer than on demand (warning).
pub const NEVER_PAYS: &str = "E1604";
/// A product that is not offered (note).
pub const NOT_OFFERED: &str = "E1605";
/// Nothing is offered (warning).
pub const NOTHING_TO_BUY: &str = "E1606";

// Capacity tables

/// A file of capacity tables that is none, or of another version.
pub const NO_CAPACITY_FILE: &str = "E1701";
/// A file of capacity tables that was changed by hand.
pub const CAPACITY_CHANGED: &str = "E1702";
/// Tables that were made for other numbers, or none at all (note).
pub const NOT_CALIBRATED: &str = "E1703";

// Network

/// A part of a workload that needs the section `network`.
pub const NO_NETWORK: &str = "E1711";
/// A distance that is not known.
pub const NO_ROUND_TRIP: &str = "E1712";
/// A price of traffic that is not known.
pub const NO_TRAFFIC_PRICE: &str = "E1713";
/// A residency that no region of the scenario keeps.
pub const RESIDENCY_LEAVES_NOTHING: &str = "E1714";
/// Shares of clients that do not sum to 1.
pub const BAD_SHARES: &str = "E1715";
/// A residency that names no region and no jurisdiction.
pub const UNKNOWN_JURISDICTION: &str = "E1716";
/// Traffic without sizes (note).
pub const TRAFFIC_NOT_PRICED: &str = "E1717";

// The program itself

/// Embedded data that cannot be read.
pub const BROKEN_BUILTIN: &str = "E1901";

/// Faults that may be of our own doing when a key of the file was blanked out, or its word replaced, to read on.
pub const OF_ABSENCE: [&str; 9] = [
    MISSING_PART,
    PART_OF_ANOTHER_KIND,
    PROFILE_OF_ANOTHER_KIND,
    WRONG_BLOCK,
    EXACTLY_ONE,
    NO_LIMIT,
    NO_TOKENS,
    DEFAULT_ATTAINMENT,
    ASSUMED_POISSON,
];
