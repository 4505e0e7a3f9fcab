//! Codes of everything that can be said of prices. `docs/diagnostics.md` explains each.

/// The address cannot be reached, or the connection broke.
pub const UNREACHABLE: &str = "E1801";
/// No answer in time.
pub const TIMED_OUT: &str = "E1802";
/// The cloud does not know the caller, or does not let it (401, 403, a key that is not valid).
pub const NOT_ALLOWED: &str = "E1803";
/// Too many requests, after all retries.
pub const THROTTLED: &str = "E1804";
/// The cloud's own fault (5xx), after all retries.
pub const SERVER_FAULT: &str = "E1805";
/// The answer is not what it should be: broken off, or not the documented form.
pub const MALFORMED: &str = "E1806";
/// Pages that do not fit together: one is missing, or comes again.
pub const BROKEN_PAGES: &str = "E1807";
/// The cloud refuses the question (400, 404).
pub const BAD_QUESTION: &str = "E1808";
/// The source needs a feature that this binary was built without.
pub const NO_FEATURE: &str = "E1809";
/// Credentials are missing or have expired, or the clock is off.
pub const CREDENTIALS: &str = "E1810";
/// Nothing at all was brought for a cloud or region that was asked for.
pub const NOTHING_FOUND: &str = "E1811";

/// Price in another currency than US dollars: left out.
pub const OTHER_CURRENCY: &str = "E1820";
/// Price that is no price: zero, negative, not a number. Left out.
pub const NO_PRICE: &str = "E1821";
/// Spot or committed price above the on-demand price: left out.
pub const ABOVE_ON_DEMAND: &str = "E1822";
/// Price more than five times, or less than a fifth of, the one before: held back until it is seen twice.
pub const JUMP: &str = "E1823";
/// Two prices for one thing that differ: both left out.
pub const CONTRADICTION: &str = "E1824";
/// An entry that cannot be read: left out.
pub const BAD_ENTRY: &str = "E1825";
/// A machine with GPUs that the catalogue does not know.
pub const UNKNOWN_MACHINE: &str = "E1826";
/// A machine whose parts are not all priced.
pub const PARTS_MISSING: &str = "E1827";
/// A feed that has not changed for too long.
pub const FROZEN_FEED: &str = "E1828";
/// A price from before that is not listed any more: dropped.
pub const NO_LONGER_LISTED: &str = "E1829";

/// The cache cannot be written: read-only, full, no rights.
pub const CACHE_UNWRITABLE: &str = "E1840";
/// A snapshot in the cache, or a file, is damaged.
pub const DAMAGED: &str = "E1841";
/// No snapshot of that name.
pub const NO_SNAPSHOT: &str = "E1842";
/// Prices are older than the limit that the user set.
pub const OLD_PRICES: &str = "E1843";
