//! The model: minimise `cost x` with row bounds, column bounds and some columns whole.

/// A variable.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Name.
    pub name: String,
    /// Cost of one unit.
    pub cost: f64,
    /// Least value.
    pub lower: f64,
    /// Greatest value.
    pub upper: f64,
    /// Whole numbers only.
    pub integer: bool,
}

/// A constraint `lower <= terms <= upper`.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Name.
    pub name: String,
    /// Lower bound.
    pub lower: f64,
    /// Upper bound.
    pub upper: f64,
    /// (column, coefficient), each column at most once.
    pub terms: Vec<(usize, f64)>,
}

/// A linear program.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Model {
    /// Variables.
    pub columns: Vec<Column>,
    /// Constraints.
    pub rows: Vec<Row>,
}

impl Model {
    /// Adds a variable that is at least 0.
    pub fn column(&mut self, name: impl Into<String>, cost: f64, integer: bool) -> usize {
        self.columns.push(Column { name: name.into(), cost, lower: 0.0, upper: f64::INFINITY, integer });
        self.columns.len() - 1
    }

    /// Adds `terms >= lower`.
    pub fn at_least(&mut self, name: impl Into<String>, lower: f64, terms: Vec<(usize, f64)>) -> usize {
        self.row(Row { name: name.into(), lower, upper: f64::INFINITY, terms })
    }

    /// Adds `terms <= upper`.
    pub fn at_most(&mut self, name: impl Into<String>, upper: f64, terms: Vec<(usize, f64)>) -> usize {
        self.row(Row { name: name.into(), lower: f64::NEG_INFINITY, upper, terms })
    }

    /// Adds `terms = value`.
    pub fn equal(&mut self, name: impl Into<String>, value: f64, terms: Vec<(usize, f64)>) -> usize {
        self.row(Row { name: name.into(), lower: value, upper: value, terms })
    }

    fn row(&mut self, row: Row) -> usize {
        self.rows.push(row);
        self.rows.len() - 1
    }
}
