//! Kubernetes quantities: `2500m`, `16896Mi`, `1e3`, `8`.

use super::fault::Faults;
use super::field::Field;
use super::node::Value;

/// A quantity in base units; `None` where it is none or negative.
///
/// Source: k8s.io/apimachinery/pkg/api/resource, `Quantity`.
pub(super) fn parse(text: &str) -> Option<f64> {
    const SUFFIXES: [(&str, f64); 16] = [
        ("Ki", 1024.0),
        ("Mi", 1_048_576.0),
        ("Gi", 1_073_741_824.0),
        ("Ti", 1_099_511_627_776.0),
        ("Pi", 1_125_899_906_842_624.0),
        ("Ei", 1_152_921_504_606_846_976.0),
        ("n", 1e-9),
        ("u", 1e-6),
        ("m", 1e-3),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
        ("P", 1e15),
        ("E", 1e18),
        ("", 1.0),
    ];
    let digits = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || "+-.eE".contains(c));
    let number = |text: &str| text.parse::<f64>().ok().filter(|n| n.is_finite() && *n >= 0.0);
    SUFFIXES.iter().find_map(|(suffix, factor)| {
        let head = text.strip_suffix(suffix)?;
        if digits(head) { number(head).map(|n| n * factor) } else { None }
    })
}

/// The quantity under a key, which may be text or a number.
pub(super) fn read(field: Field, key: &str, faults: &mut Faults) -> Option<f64> {
    let value = field.get(key)?;
    let quantity = match &value.node.value {
        Value::Text(text) => parse(text),
        Value::Int(number) => Some(*number as f64).filter(|n| *n >= 0.0),
        Value::Float(number) => Some(*number).filter(|n| *n >= 0.0),
        Value::Null | Value::Bool(_) | Value::List(_) | Value::Map(_) => None,
    };
    if quantity.is_none() {
        value.fault(faults, format!("`{key}` of {} is no quantity", field.owner), "write a quantity such as `2500m`, `16Gi` or `\"1\"`");
    }
    quantity
}

/// Rounded up to whole units; noise below a millionth is no unit.
pub(super) fn whole(value: f64) -> u64 {
    (value - 1e-6).ceil().max(0.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_those_of_kubernetes() {
        let whole_of = |text: &str, unit: f64| parse(text).map(|n| whole(n / unit));
        assert_eq!(whole_of("2500m", 1e-3), Some(2500));
        assert_eq!(whole_of("2.5", 1e-3), Some(2500));
        assert_eq!(whole_of("16896Mi", 1_048_576.0), Some(16_896));
        assert_eq!(whole_of("16.5Gi", 1_048_576.0), Some(16_896));
        assert_eq!(whole_of("1G", 1_048_576.0), Some(954));
        assert_eq!(whole_of("1e3", 1.0), Some(1000));
        assert_eq!(whole_of("1E", 1e18), Some(1));
        for text in ["", "-1", "1.5GB", "Mi", "x", "1 Gi", "inf", "NaN"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
