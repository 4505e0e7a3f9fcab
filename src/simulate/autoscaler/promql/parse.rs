//! Reads a query into a tree, with PromQL's precedence and its types (scalars, vectors).

use super::lex::{Token, fault, tokens};
use super::pattern::Pattern;
use super::{PromqlError, Selection};
use std::collections::{BTreeMap, BTreeSet};

/// Brackets and signs inside each other; more is no query that a person wrote.
const MOST_LEVELS: usize = 64;

/// A query, read once.
#[derive(Clone, Debug, PartialEq)]
pub struct Query(pub(super) Expr);

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expr {
    Number(f64),
    Select(Selector),
    Negate(Box<Expr>),
    Binary(Binary),
    Aggregate(Aggregate),
    /// `clamp`, `clamp_min`, `clamp_max`.
    Clamp {
        vector: Box<Expr>,
        low: Option<Box<Expr>>,
        high: Option<Box<Expr>>,
    },
    /// `abs`, `ceil`, `floor`.
    Map(Function, Box<Expr>),
    ToVector(Box<Expr>),
    ToScalar(Box<Expr>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Abs,
    Ceil,
    Floor,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Binary {
    pub operator: Operator,
    pub left: Box<Expr>,
    pub right: Box<Expr>,
    /// `bool`: 0 or 1 instead of a filter.
    pub as_number: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Calculate(Arithmetic),
    Compare(Comparison),
    Or,
    And,
    Unless,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Power,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Aggregate {
    pub kind: Aggregation,
    pub grouping: Grouping,
    pub vector: Box<Expr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aggregation {
    Sum,
    Average,
    Largest,
    Smallest,
    Count,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Grouping {
    All,
    By(BTreeSet<String>),
    Without(BTreeSet<String>),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Selector {
    pub name: Option<String>,
    pub matchers: Vec<Matcher>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Matcher {
    pub label: String,
    pub wanted: bool,
    pub value: Matched,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Matched {
    Text(String),
    Pattern(Pattern),
}

pub(super) const NAME_LABEL: &str = "__name__";

/// Name of the series that holds the increase of a counter over so many seconds.
#[must_use]
pub fn counted(name: &str, seconds: u32) -> String {
    format!("{name}#increase_{seconds}s")
}

/// Seconds of a name that [`counted`] made.
#[must_use]
pub fn counted_over(name: &str) -> Option<u32> {
    name.rsplit_once("#increase_")?.1.strip_suffix('s')?.parse().ok()
}

impl Query {
    /// Reads a query. Errors with the place, or with what a replay cannot evaluate.
    pub fn parse(text: &str) -> Result<Self, PromqlError> {
        let mut parser = Parser { tokens: tokens(text)?, next: 0, end: text.len(), level: 0 };
        let expr = parser.binary(0)?;
        match parser.peek() {
            None => Ok(Self(expr)),
            Some(_) => Err(parser.unexpected("the end of the query")),
        }
    }

    /// The selections of the query with a name, sorted, each once.
    #[must_use]
    pub fn selections(&self) -> Vec<Selection> {
        let mut found = BTreeSet::new();
        collect(&self.0, &mut found);
        found.into_iter().collect()
    }
}

fn collect(expr: &Expr, found: &mut BTreeSet<Selection>) {
    match expr {
        Expr::Number(_) => {}
        Expr::Select(Selector { name: None, .. }) => {}
        Expr::Select(Selector { name: Some(name), matchers }) => {
            let equal = |m: &Matcher| match &m.value {
                Matched::Text(value) if m.wanted && !value.is_empty() => Some((m.label.clone(), value.clone())),
                Matched::Text(_) | Matched::Pattern(_) => None,
            };
            let labels: BTreeMap<String, String> = matchers.iter().filter_map(equal).collect();
            found.insert(Selection { name: name.clone(), labels });
        }
        Expr::Negate(inner) | Expr::Map(_, inner) | Expr::ToVector(inner) | Expr::ToScalar(inner) => collect(inner, found),
        Expr::Binary(Binary { left, right, .. }) => {
            collect(left, found);
            collect(right, found);
        }
        Expr::Aggregate(Aggregate { vector, .. }) => collect(vector, found),
        Expr::Clamp { vector, low, high } => {
            collect(vector, found);
            low.iter().chain(high).for_each(|limit| collect(limit, found));
        }
    }
}

impl Expr {
    fn is_scalar(&self) -> bool {
        match self {
            Self::Number(_) | Self::ToScalar(_) => true,
            Self::Select(_) | Self::Aggregate(_) | Self::Clamp { .. } | Self::Map(..) | Self::ToVector(_) => false,
            Self::Negate(inner) => inner.is_scalar(),
            Self::Binary(Binary { left, right, .. }) => left.is_scalar() && right.is_scalar(),
        }
    }
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    next: usize,
    end: usize,
    level: usize,
}

fn not_evaluated(what: impl Into<String>) -> PromqlError {
    PromqlError::NotEvaluated(what.into())
}

/// Operator of a token with its precedence.
fn operator(token: &Token) -> Option<(Operator, u8)> {
    use {Arithmetic as A, Comparison as C, Operator as O};
    Some(match token {
        Token::Sign("+") => (O::Calculate(A::Add), 4),
        Token::Sign("-") => (O::Calculate(A::Subtract), 4),
        Token::Sign("*") => (O::Calculate(A::Multiply), 5),
        Token::Sign("/") => (O::Calculate(A::Divide), 5),
        Token::Sign("%") => (O::Calculate(A::Modulo), 5),
        Token::Sign("^") => (O::Calculate(A::Power), POWER),
        Token::Sign("==") => (O::Compare(C::Equal), 3),
        Token::Sign("!=") => (O::Compare(C::NotEqual), 3),
        Token::Sign(">") => (O::Compare(C::Greater), 3),
        Token::Sign("<") => (O::Compare(C::Less), 3),
        Token::Sign(">=") => (O::Compare(C::GreaterOrEqual), 3),
        Token::Sign("<=") => (O::Compare(C::LessOrEqual), 3),
        Token::Word(word) if word.eq_ignore_ascii_case("and") => (O::And, 2),
        Token::Word(word) if word.eq_ignore_ascii_case("unless") => (O::Unless, 2),
        Token::Word(word) if word.eq_ignore_ascii_case("or") => (O::Or, 1),
        Token::Word(_) | Token::Number(_) | Token::Text(_) | Token::Sign(_) => return None,
    })
}

/// Binds closest, and to the right.
const POWER: u8 = 6;

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(_, token)| token)
    }

    fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(self.end, |(at, _)| *at)
    }

    fn unexpected(&self, wanted: &str) -> PromqlError {
        fault(self.at(), format!("expected {wanted}"))
    }

    fn take(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Sign(s)) if *s == sign);
        self.next += usize::from(found);
        found
    }

    fn require(&mut self, sign: &'static str) -> Result<(), PromqlError> {
        if self.take(sign) { Ok(()) } else { Err(self.unexpected(&format!("`{sign}`"))) }
    }

    fn keyword(&mut self, keyword: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(word)) if word.eq_ignore_ascii_case(keyword));
        self.next += usize::from(found);
        found
    }

    /// Operators that bind at least as closely as `least`.
    fn binary(&mut self, least: u8) -> Result<Expr, PromqlError> {
        self.level += 1;
        if self.level > MOST_LEVELS {
            return Err(self.unexpected("fewer brackets"));
        }
        let mut left = self.unary()?;
        while let Some((operator, binds)) = self.peek().and_then(operator).filter(|(_, binds)| *binds >= least) {
            let at = self.at();
            self.next += 1;
            let as_number = self.keyword("bool");
            if self.keyword("on") || self.keyword("ignoring") {
                return Err(not_evaluated("vector matching with `on` or `ignoring`"));
            }
            let right = self.binary(if binds == POWER { binds } else { binds + 1 })?;
            left = checked(at, Binary { operator, left: Box::new(left), right: Box::new(right), as_number })?;
        }
        self.level -= 1;
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expr, PromqlError> {
        if self.take("-") {
            return Ok(Expr::Negate(Box::new(self.binary(POWER)?)));
        }
        if self.take("+") {
            return self.binary(POWER);
        }
        let expr = self.primary()?;
        if self.take("[") {
            return Err(not_evaluated("a range of samples `[...]` needs a history"));
        }
        if self.take("@") || self.keyword("offset") {
            return Err(not_evaluated("`offset` and `@` need a history"));
        }
        Ok(expr)
    }

    fn primary(&mut self) -> Result<Expr, PromqlError> {
        if self.take("(") {
            let expr = self.binary(0)?;
            self.require(")")?;
            return Ok(expr);
        }
        match self.peek().cloned() {
            Some(Token::Number(number)) => {
                self.next += 1;
                Ok(Expr::Number(number))
            }
            Some(Token::Sign("{")) => self.selector(None),
            Some(Token::Word(word)) => {
                let aggregates = aggregation(&word);
                self.next += 1;
                let followed = matches!(self.peek(), Some(Token::Sign("("))) || self.at_grouping();
                match aggregates {
                    Some(kind) if followed => self.aggregate(kind),
                    None if matches!(self.peek(), Some(Token::Sign("("))) => self.call(&word),
                    Some(_) | None => self.selector(Some(word)),
                }
            }
            Some(Token::Text(_)) => Err(not_evaluated("a string")),
            Some(Token::Sign(_)) | None => Err(self.unexpected("an expression")),
        }
    }

    fn at_grouping(&self) -> bool {
        matches!(self.peek(), Some(Token::Word(word)) if word.eq_ignore_ascii_case("by") || word.eq_ignore_ascii_case("without"))
    }

    fn aggregate(&mut self, kind: Aggregation) -> Result<Expr, PromqlError> {
        let before = self.grouping()?;
        self.require("(")?;
        let vector = self.vector()?;
        self.require(")")?;
        let grouping = match before {
            Grouping::All => self.grouping()?,
            Grouping::By(_) | Grouping::Without(_) => before,
        };
        Ok(Expr::Aggregate(Aggregate { kind, grouping, vector: Box::new(vector) }))
    }

    fn grouping(&mut self) -> Result<Grouping, PromqlError> {
        let by = self.keyword("by");
        if !by && !self.keyword("without") {
            return Ok(Grouping::All);
        }
        self.require("(")?;
        let mut labels = BTreeSet::new();
        while !self.take(")") {
            let Some(Token::Word(label)) = self.peek().cloned() else { return Err(self.unexpected("a label")) };
            self.next += 1;
            if label == NAME_LABEL {
                return Err(not_evaluated("grouping by the metric's name"));
            }
            labels.insert(label);
            if !self.take(",") {
                self.require(")")?;
                break;
            }
        }
        Ok(if by { Grouping::By(labels) } else { Grouping::Without(labels) })
    }

    fn vector(&mut self) -> Result<Expr, PromqlError> {
        let at = self.at();
        let expr = self.binary(0)?;
        if expr.is_scalar() { Err(fault(at, "expected a vector, not a scalar")) } else { Ok(expr) }
    }

    fn scalar(&mut self) -> Result<Box<Expr>, PromqlError> {
        let at = self.at();
        let expr = self.binary(0)?;
        if expr.is_scalar() { Ok(Box::new(expr)) } else { Err(fault(at, "expected a scalar, not a vector")) }
    }

    fn next_scalar(&mut self) -> Result<Box<Expr>, PromqlError> {
        self.require(",")?;
        self.scalar()
    }

    /// A function after its name.
    fn call(&mut self, name: &str) -> Result<Expr, PromqlError> {
        self.require("(")?;
        let expr = match name {
            "increase" | "rate" => self.counted(name == "rate")?,
            "vector" => Expr::ToVector(self.scalar()?),
            "scalar" => Expr::ToScalar(Box::new(self.vector()?)),
            "abs" => Expr::Map(Function::Abs, Box::new(self.vector()?)),
            "ceil" => Expr::Map(Function::Ceil, Box::new(self.vector()?)),
            "floor" => Expr::Map(Function::Floor, Box::new(self.vector()?)),
            "clamp_min" | "clamp_max" | "clamp" => {
                let vector = Box::new(self.vector()?);
                let low = if name == "clamp_max" { None } else { Some(self.next_scalar()?) };
                let high = if name == "clamp_min" { None } else { Some(self.next_scalar()?) };
                Expr::Clamp { vector, low, high }
            }
            other => return Err(not_evaluated(format!("function `{other}`"))),
        };
        self.require(")")?;
        Ok(expr)
    }

    /// A counter over a window, `increase(name{..}[2m])`: the series [`counted`] under a name of its own, which whoever exposes the
    /// counter keeps. A rate is the increase over the window's seconds, without Prometheus' extrapolation to its edges.
    fn counted(&mut self, as_rate: bool) -> Result<Expr, PromqlError> {
        let Some(Token::Word(name)) = self.peek().cloned() else { return Err(self.unexpected("a counter")) };
        self.next += 1;
        let Expr::Select(mut selector) = self.selector(Some(name.clone()))? else { return Err(self.unexpected("a counter")) };
        self.require("[")?;
        let seconds = self.duration()?;
        self.require("]")?;
        selector.name = Some(counted(&name, seconds));
        let increase = Expr::Select(selector);
        if !as_rate {
            return Ok(increase);
        }
        let (operator, right) = (Operator::Calculate(Arithmetic::Divide), Box::new(Expr::Number(f64::from(seconds))));
        Ok(Expr::Binary(Binary { operator, left: Box::new(increase), right, as_number: false }))
    }

    /// `90s`, `2m`, `1h`: whole seconds.
    fn duration(&mut self) -> Result<u32, PromqlError> {
        let Some(Token::Number(count)) = self.peek().cloned() else { return Err(self.unexpected("a duration")) };
        self.next += 1;
        let Some(Token::Word(unit)) = self.peek().cloned() else { return Err(self.unexpected("a unit: s, m or h")) };
        let unit_s = match unit.as_str() {
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return Err(self.unexpected("a unit: s, m or h")),
        };
        self.next += 1;
        Ok((count * unit_s).round().clamp(1.0, 86_400.0) as u32)
    }

    /// A selector after its name.
    fn selector(&mut self, name: Option<String>) -> Result<Expr, PromqlError> {
        let at = self.at();
        let mut selector = Selector { name, matchers: Vec::new() };
        if self.take("{") {
            while !self.take("}") {
                self.matcher(&mut selector)?;
                if !self.take(",") {
                    self.require("}")?;
                    break;
                }
            }
        }
        if selector.name.is_none() && selector.matchers.iter().all(|matcher| matcher.matches("")) {
            return Err(fault(at, "a selector needs a name or a matcher that does not match the empty string"));
        }
        Ok(Expr::Select(selector))
    }

    fn matcher(&mut self, selector: &mut Selector) -> Result<(), PromqlError> {
        let at = self.at();
        let label = match self.peek().cloned() {
            Some(Token::Word(label) | Token::Text(label)) => label,
            Some(Token::Number(_) | Token::Sign(_)) | None => return Err(self.unexpected("a label")),
        };
        self.next += 1;
        let Some(Token::Sign(sign @ ("=" | "!=" | "=~" | "!~"))) = self.peek().cloned() else {
            return Err(self.unexpected("`=`, `!=`, `=~` or `!~`"));
        };
        self.next += 1;
        let Some(Token::Text(text)) = self.peek().cloned() else { return Err(self.unexpected("a string")) };
        self.next += 1;
        if label == NAME_LABEL && sign == "=" {
            if selector.name.is_some() {
                return Err(fault(at, "the metric has two names"));
            }
            selector.name = Some(text);
            return Ok(());
        }
        let value = if matches!(sign, "=" | "!=") {
            Matched::Text(text)
        } else {
            Matched::Pattern(Pattern::parse(&text).ok_or_else(|| not_evaluated(format!("regular expression `{text}`")))?)
        };
        selector.matchers.push(Matcher { label, wanted: matches!(sign, "=" | "=~"), value });
        Ok(())
    }
}

/// Aggregations are keywords, without regard to case.
fn aggregation(word: &str) -> Option<Aggregation> {
    match word.to_ascii_lowercase().as_str() {
        "sum" => Some(Aggregation::Sum),
        "avg" => Some(Aggregation::Average),
        "max" => Some(Aggregation::Largest),
        "min" => Some(Aggregation::Smallest),
        "count" => Some(Aggregation::Count),
        _ => None,
    }
}

/// A binary operation whose types fit.
fn checked(at: usize, binary: Binary) -> Result<Expr, PromqlError> {
    let (left, right) = (binary.left.is_scalar(), binary.right.is_scalar());
    match binary.operator {
        Operator::Or | Operator::And | Operator::Unless if left || right => Err(fault(at, "a set operator needs vectors")),
        Operator::Compare(_) if left && right && !binary.as_number => Err(fault(at, "a comparison of scalars needs `bool`")),
        Operator::Or | Operator::And | Operator::Unless | Operator::Calculate(_) if binary.as_number => {
            Err(fault(at, "`bool` belongs to a comparison"))
        }
        Operator::Or | Operator::And | Operator::Unless | Operator::Calculate(_) | Operator::Compare(_) => Ok(Expr::Binary(binary)),
    }
}
