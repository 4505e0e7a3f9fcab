//! Evaluates a query over the series of this moment.

use super::parse::{
    Aggregate, Aggregation, Arithmetic, Binary, Comparison, Expr, Function, Grouping, Matched, Matcher, NAME_LABEL, Operator, Query,
    Selector,
};
use super::{Answer, Series};
use crate::simulate::autoscaler::Reading;
use std::cmp::Ordering;
use std::collections::BTreeMap;

type Pair<'a> = (&'a str, &'a str);

/// Labels of an element, without the metric's name.
#[derive(Clone, Debug)]
enum Labels<'a> {
    All(&'a BTreeMap<String, String>),
    Some(Vec<Pair<'a>>),
}

impl<'a> Labels<'a> {
    fn pairs<'s>(&'s self) -> impl Iterator<Item = Pair<'a>> + 's {
        let (all, some) = match self {
            Self::All(map) => (Some(map.iter().map(|(label, value)| (label.as_str(), value.as_str()))), None),
            Self::Some(pairs) => (None, Some(pairs.iter().copied())),
        };
        all.into_iter().flatten().chain(some.into_iter().flatten())
    }

    fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::All(left), Self::All(right)) if std::ptr::eq(*left, *right) => Ordering::Equal,
            (Self::All(left), Self::All(right)) => left.iter().cmp(right.iter()),
            (Self::Some(left), Self::Some(right)) => left.cmp(right),
            (Self::All(_), Self::Some(_)) | (Self::Some(_), Self::All(_)) => self.pairs().cmp(other.pairs()),
        }
    }
}

#[derive(Clone, Debug)]
struct Element<'a> {
    labels: Labels<'a>,
    value: f64,
}

#[derive(Debug)]
enum Value<'a> {
    Scalar(f64),
    Vector(Vec<Element<'a>>),
}

/// Two elements of a side have equal labels.
#[derive(Debug)]
struct Ambiguous;

impl Query {
    /// The answer to the query, given every series that exists now.
    #[must_use]
    pub fn evaluate(&self, series: &[Series]) -> Answer {
        match value(&self.0, series) {
            Err(Ambiguous) => Answer::Ambiguous,
            Ok(Value::Scalar(value)) => Answer::Scalar(value),
            Ok(Value::Vector(elements)) => match elements.as_slice() {
                [] => Answer::Empty,
                [one] => Answer::One(one.value),
                several => Answer::Several(several.len()),
            },
        }
    }

    /// The same, as KEDA reads it.
    #[must_use]
    pub fn read(&self, series: &[Series]) -> Reading {
        self.evaluate(series).into()
    }
}

impl Matcher {
    /// Whether the value of the label, empty where it is absent, is one that is asked for.
    pub(super) fn matches(&self, value: &str) -> bool {
        let found = match &self.value {
            Matched::Text(text) => text == value,
            Matched::Pattern(pattern) => pattern.matches(value),
        };
        found == self.wanted
    }
}

impl Selector {
    fn selects(&self, series: &Series) -> bool {
        let value = |label: &str| match label {
            NAME_LABEL => series.name.as_str(),
            _ => series.labels.get(label).map_or("", String::as_str),
        };
        self.name.as_ref().is_none_or(|name| *name == series.name) && self.matchers.iter().all(|m| m.matches(value(&m.label)))
    }
}

fn value<'a>(expr: &'a Expr, series: &'a [Series]) -> Result<Value<'a>, Ambiguous> {
    Ok(match expr {
        Expr::Number(number) => Value::Scalar(*number),
        Expr::Select(selector) => {
            let element = |series: &'a Series| Element { labels: Labels::All(&series.labels), value: series.value };
            Value::Vector(series.iter().filter(|series| selector.selects(series)).map(element).collect())
        }
        Expr::Negate(inner) => match value(inner, series)? {
            Value::Scalar(number) => Value::Scalar(-number),
            Value::Vector(elements) => Value::Vector(mapped(elements, |number| -number)),
        },
        Expr::Binary(operation) => return binary(operation, series),
        Expr::Aggregate(Aggregate { kind, grouping, vector }) => Value::Vector(aggregate(*kind, grouping, self::vector(vector, series)?)),
        Expr::Clamp { vector, low, high } => {
            let limit = |limit: &'a Option<Box<Expr>>| limit.as_ref().map(|limit| scalar(limit, series)).transpose();
            let (low, high) = (limit(low)?, limit(high)?);
            let elements = self::vector(vector, series)?;
            if low.zip(high).is_some_and(|(low, high)| low > high) {
                return Ok(Value::Vector(Vec::new()));
            }
            Value::Vector(mapped(elements, |number| clamped(number, (low, high))))
        }
        Expr::Map(function, vector) => Value::Vector(mapped(
            self::vector(vector, series)?,
            match function {
                Function::Abs => f64::abs,
                Function::Ceil => f64::ceil,
                Function::Floor => f64::floor,
            },
        )),
        Expr::ToVector(inner) => Value::Vector(vec![Element { labels: Labels::Some(Vec::new()), value: scalar(inner, series)? }]),
        Expr::ToScalar(inner) => Value::Scalar(match vector(inner, series)?.as_slice() {
            [one] => one.value,
            _ => f64::NAN,
        }),
    })
}

/// A part that the parser knows to be a vector.
fn vector<'a>(expr: &'a Expr, series: &'a [Series]) -> Result<Vec<Element<'a>>, Ambiguous> {
    Ok(match value(expr, series)? {
        Value::Vector(elements) => elements,
        Value::Scalar(value) => vec![Element { labels: Labels::Some(Vec::new()), value }],
    })
}

/// A part that the parser knows to be a scalar.
fn scalar<'a>(expr: &'a Expr, series: &'a [Series]) -> Result<f64, Ambiguous> {
    Ok(match value(expr, series)? {
        Value::Scalar(number) => number,
        Value::Vector(_) => f64::NAN,
    })
}

fn mapped(mut elements: Vec<Element<'_>>, map: impl Fn(f64) -> f64) -> Vec<Element<'_>> {
    for element in &mut elements {
        element.value = map(element.value);
    }
    elements
}

/// NaN stays NaN, as a value and as a limit.
fn clamped(number: f64, (low, high): (Option<f64>, Option<f64>)) -> f64 {
    if number.is_nan() || low.is_some_and(f64::is_nan) || high.is_some_and(f64::is_nan) {
        return f64::NAN;
    }
    let raised = low.map_or(number, |low| number.max(low));
    high.map_or(raised, |high| raised.min(high))
}

fn calculate(operator: Arithmetic, left: f64, right: f64) -> f64 {
    match operator {
        Arithmetic::Add => left + right,
        Arithmetic::Subtract => left - right,
        Arithmetic::Multiply => left * right,
        Arithmetic::Divide => left / right,
        Arithmetic::Modulo => left % right,
        Arithmetic::Power => left.powf(right),
    }
}

fn compare(operator: Comparison, left: f64, right: f64) -> bool {
    let order = left.partial_cmp(&right);
    match operator {
        Comparison::Equal => order == Some(Ordering::Equal),
        Comparison::NotEqual => order != Some(Ordering::Equal),
        Comparison::Greater => order == Some(Ordering::Greater),
        Comparison::Less => order == Some(Ordering::Less),
        Comparison::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        Comparison::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
    }
}

fn binary<'a>(operation: &'a Binary, series: &'a [Series]) -> Result<Value<'a>, Ambiguous> {
    let (left, right) = (value(&operation.left, series)?, value(&operation.right, series)?);
    // What becomes of `left operator right`, and which value a filter keeps.
    let outcome = |left: f64, right: f64, kept: f64| match operation.operator {
        Operator::Calculate(operator) => Some(calculate(operator, left, right)),
        Operator::Compare(operator) if operation.as_number => Some(f64::from(u8::from(compare(operator, left, right)))),
        Operator::Compare(operator) => compare(operator, left, right).then_some(kept),
        Operator::Or | Operator::And | Operator::Unless => None,
    };
    let each = |elements: Vec<Element<'a>>, outcome: &dyn Fn(f64) -> Option<f64>| {
        let one = |element: Element<'a>| outcome(element.value).map(|value| Element { value, ..element });
        Value::Vector(elements.into_iter().filter_map(one).collect())
    };
    Ok(match (left, right) {
        (Value::Scalar(left), Value::Scalar(right)) => Value::Scalar(outcome(left, right, left).unwrap_or(f64::NAN)),
        (Value::Vector(left), Value::Scalar(right)) => each(left, &|left| outcome(left, right, left)),
        (Value::Scalar(left), Value::Vector(right)) => each(right, &|right| outcome(left, right, right)),
        (Value::Vector(left), Value::Vector(right)) => Value::Vector(match operation.operator {
            Operator::Or => either(left, right),
            Operator::And => with_partner(left, &right, true),
            Operator::Unless => with_partner(left, &right, false),
            Operator::Calculate(_) | Operator::Compare(_) => matched(left, &right, &|left, right| outcome(left, right, left))?,
        }),
    })
}

/// Positions of the elements in the order of their labels.
fn sorted(elements: &[Element<'_>]) -> Vec<usize> {
    let mut positions: Vec<usize> = (0..elements.len()).collect();
    let order = |a: &usize, b: &usize| elements[*a].labels.order(&elements[*b].labels);
    if !positions.is_sorted_by(|a, b| order(a, b) != Ordering::Greater) {
        positions.sort_by(order);
    }
    positions
}

fn partner(labels: &Labels<'_>, (elements, positions): (&[Element<'_>], &[usize])) -> Option<usize> {
    positions.binary_search_by(|i| elements[*i].labels.order(labels)).ok()
}

/// Both sides have the same labels in the same, rising order, which is how two metrics of the same pods come.
fn aligned(left: &[Element<'_>], right: &[Element<'_>]) -> bool {
    let same = |(l, r): (&Element<'_>, &Element<'_>)| l.labels.order(&r.labels) == Ordering::Equal;
    let rises = |pair: &[Element<'_>]| matches!(pair, [a, b] if a.labels.order(&b.labels) == Ordering::Less);
    left.len() == right.len() && left.iter().zip(right).all(same) && left.windows(2).all(rises)
}

/// Elements of both sides with equal labels, one to one.
fn matched<'a>(
    left: Vec<Element<'a>>,
    right: &[Element<'a>],
    outcome: &dyn Fn(f64, f64) -> Option<f64>,
) -> Result<Vec<Element<'a>>, Ambiguous> {
    if aligned(&left, right) {
        let pairs = left.into_iter().zip(right);
        return Ok(pairs.filter_map(|(l, r)| outcome(l.value, r.value).map(|value| Element { value, ..l })).collect());
    }
    let positions = sorted(right);
    let twice = |pair: &[usize]| matches!(pair, [a, b] if right[*a].labels.order(&right[*b].labels) == Ordering::Equal);
    if positions.windows(2).any(twice) {
        return Err(Ambiguous);
    }
    let mut taken = vec![false; right.len()];
    let mut result = Vec::with_capacity(left.len());
    for element in left {
        let Some(place) = partner(&element.labels, (right, &positions)) else { continue };
        if std::mem::replace(&mut taken[place], true) {
            return Err(Ambiguous);
        }
        if let Some(value) = outcome(element.value, right[positions[place]].value) {
            result.push(Element { value, ..element });
        }
    }
    Ok(result)
}

/// `or`: the left side, and of the right side what has no partner there.
fn either<'a>(mut left: Vec<Element<'a>>, right: Vec<Element<'a>>) -> Vec<Element<'a>> {
    let positions = sorted(&left);
    let new: Vec<Element<'a>> = right.into_iter().filter(|element| partner(&element.labels, (&left, &positions)).is_none()).collect();
    left.extend(new);
    left
}

fn with_partner<'a>(left: Vec<Element<'a>>, right: &[Element<'a>], wanted: bool) -> Vec<Element<'a>> {
    let positions = sorted(right);
    left.into_iter().filter(|element| partner(&element.labels, (right, &positions)).is_some() == wanted).collect()
}

#[derive(Clone, Copy)]
struct Group {
    sum: f64,
    largest: f64,
    smallest: f64,
    count: u32,
}

impl Group {
    const EMPTY: Self = Self { sum: 0.0, largest: f64::NAN, smallest: f64::NAN, count: 0 };

    fn add(&mut self, value: f64) {
        self.sum += value;
        // NaN only where there is nothing else, which is what these two do.
        self.largest = self.largest.max(value);
        self.smallest = self.smallest.min(value);
        self.count += 1;
    }

    fn value(&self, kind: Aggregation) -> f64 {
        match kind {
            Aggregation::Sum => self.sum,
            Aggregation::Average => self.sum / f64::from(self.count),
            Aggregation::Largest => self.largest,
            Aggregation::Smallest => self.smallest,
            Aggregation::Count => f64::from(self.count),
        }
    }
}

fn aggregate<'a>(kind: Aggregation, grouping: &Grouping, elements: Vec<Element<'a>>) -> Vec<Element<'a>> {
    let mut groups: BTreeMap<Vec<Pair<'a>>, Group> = BTreeMap::new();
    if matches!(grouping, Grouping::All) && !elements.is_empty() {
        let mut group = Group::EMPTY;
        elements.iter().for_each(|element| group.add(element.value));
        return vec![Element { labels: Labels::Some(Vec::new()), value: group.value(kind) }];
    }
    for element in elements {
        let kept = |label: &str| match grouping {
            Grouping::All => false,
            Grouping::By(labels) => labels.contains(label),
            Grouping::Without(labels) => !labels.contains(label),
        };
        let labels = element.labels.pairs().filter(|(label, _)| kept(label)).collect();
        groups.entry(labels).or_insert(Group::EMPTY).add(element.value);
    }
    groups.into_iter().map(|(labels, group)| Element { labels: Labels::Some(labels), value: group.value(kind) }).collect()
}
