//! "Did you mean": the nearest known name to a mistyped one.

/// Names compared at most: a scenario of ten thousand groups, all mistyped, is still answered at once.
const MOST_COMPARED: usize = 500;

/// The nearest of `known` to `given`, if it is near enough to be a slip: a third of its letters, at most three.
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = fold(given);
    let allowed = (folded.len() / 3).clamp(1, 3);
    known
        .into_iter()
        .take(MOST_COMPARED)
        .filter(|name| name.len().abs_diff(given.len()) <= allowed + 2)
        .map(|name| (distance(&folded, &fold(name)), name))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, name)| name)
}

/// Help text for an unknown name: the nearest one, else the known ones if they are few.
pub fn help<'a>(given: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> Option<String> {
    const FEW: usize = 12;
    // `h100` is short for `h100-80-sxm` and `h100-94-nvl`, and no slip of `p100`.
    let folded = fold(given);
    let mut longer: Vec<&str> = known.clone().into_iter().filter(|name| folded.len() >= 2 && fold(name).starts_with(&folded)).collect();
    longer.sort_unstable();
    longer.dedup();
    if (1..=4).contains(&longer.len()) {
        return Some(format!("did you mean `{}`?", longer.join("` or `")));
    }
    if let Some(name) = nearest(given, known.clone()) {
        return Some(format!("did you mean `{name}`?"));
    }
    let mut names: Vec<&str> = known.into_iter().collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        return None;
    }
    let rest = names.len().saturating_sub(FEW);
    let shown = names.iter().take(FEW).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    Some(if rest == 0 { format!("known: {shown}") } else { format!("known: {shown} and {rest} more") })
}

/// Letters and digits in lower case: `H100_SXM` and `h100-sxm` are the same slip.
fn fold(name: &str) -> Vec<char> {
    name.chars().take(64).filter(|c| c.is_alphanumeric() || *c == '.').flat_map(char::to_lowercase).collect()
}

/// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let substitute = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = substitute.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_finds_slips_and_no_strangers() {
        let known = ["l40s", "h100-80-sxm", "a10g", "us-east-1"];
        assert_eq!(nearest("L40", known), Some("l40s"));
        assert_eq!(nearest("h100_80_sxn", known), Some("h100-80-sxm"));
        assert_eq!(nearest("us-esat-1", known), Some("us-east-1"));
        assert_eq!(nearest("tpu-v5", known), None);
        assert_eq!(help("h100", known).as_deref(), Some("did you mean `h100-80-sxm`?"));
    }
}
