//! Markdown tables and lists. Cells are finished Markdown: whoever fills them escapes.

/// A column.
pub enum Column {
    /// Words, to the left.
    Text(&'static str),
    /// Numbers, to the right.
    Number(&'static str),
}

/// A table; empty without rows.
pub fn table(columns: &[Column], rows: Vec<Vec<String>>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let heads = columns.iter().map(|c| match c {
        Column::Text(name) | Column::Number(name) => (*name).to_owned(),
    });
    let rule = columns.iter().map(|c| match c {
        Column::Text(_) => "---".to_owned(),
        Column::Number(_) => "---:".to_owned(),
    });
    let mut out = line(heads);
    out.push_str(&line(rule));
    for row in rows {
        out.push_str(&line(row.into_iter()));
    }
    out
}

fn line(cells: impl Iterator<Item = String>) -> String {
    format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
}

/// A bullet list.
pub fn bullets(items: impl IntoIterator<Item = String>) -> String {
    items.into_iter().map(|item| format!("- {item}\n")).collect()
}

/// Every cell in bold, for the row of totals.
pub fn bold(cells: Vec<String>) -> Vec<String> {
    cells.into_iter().map(|c| if c.is_empty() { c } else { format!("**{c}**") }).collect()
}
