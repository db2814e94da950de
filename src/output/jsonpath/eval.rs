//! Evaluates the nodes on an object, step by step as client-go does.

use serde_json::Value;

use super::compare::compare;
use super::item::Item;
use super::parser::{Filter, Literal, Node, Slice};
use crate::text::go;

/// The most steps and results of one evaluation: several `..` in one path multiply, and so do nested
/// ranges.
const MAX_EFFORT: usize = 5_000_000;

/// The deepest nesting of ranges. Each level takes some stack.
const MAX_DEPTH: usize = 64;

/// A failed step. A filter that only checks existence uses the items until then.
struct Failure<'a> {
    message: String,
    items: Vec<Item<'a>>,
}

type Items<'a> = Result<Vec<Item<'a>>, Failure<'a>>;

fn fail<'a, T>(message: impl Into<String>, items: Vec<Item<'a>>) -> Result<T, Failure<'a>> {
    Err(Failure { message: message.into(), items })
}

/// The state of one evaluation.
pub struct Evaluation {
    missing_keys: bool,
    /// The number of `range`s that were read and not started.
    ranges: usize,
    /// The number of ranges around the current node.
    depth: usize,
    /// The number of `end`s that were read and not applied.
    ends: usize,
    /// The index of the last `end`.
    last_end: Option<usize>,
    effort: usize,
}

impl Evaluation {
    /// With `missing_keys`, a missing field is no error.
    pub fn new(missing_keys: bool) -> Self {
        Self { missing_keys, ranges: 0, depth: 0, ends: 0, last_end: None, effort: 0 }
    }

    /// The results of each top-level node.
    ///
    /// # Errors
    /// In client-go's words.
    pub fn run<'a>(
        mut self,
        nodes: &'a [Node],
        object: &'a Value,
    ) -> Result<Vec<Vec<Item<'a>>>, String> {
        self.block(nodes, 0, Item::Value(object)).map_err(|failure| failure.message)
    }

    /// Evaluates from the node at `start` to the end of its range.
    fn block<'a>(
        &mut self,
        nodes: &'a [Node],
        start: usize,
        current: Item<'a>,
    ) -> Result<Vec<Vec<Item<'a>>>, Failure<'a>> {
        let mut results = Vec::new();
        let mut at = start;
        while let Some(node) = nodes.get(at) {
            let items = self.step(vec![current], node)?;
            if self.ends > 0 && self.ends <= self.depth {
                self.ends -= 1;
                self.last_end = Some(at);
                break;
            }
            if self.ranges > 0 {
                self.ranges -= 1;
                self.depth += 1;
                if self.depth > MAX_DEPTH {
                    return fail("ranges are nested too deeply", items);
                }
                if items.is_empty() {
                    // This only finds the end of the range.
                    self.block(nodes, at + 1, Item::Nothing)?;
                }
                for item in items {
                    results.extend(self.block(nodes, at + 1, item)?);
                }
                self.depth -= 1;
                // Without an `end`, the following nodes are evaluated once more, as in client-go.
                at = self.last_end.filter(|end| *end > at).unwrap_or(at);
            } else {
                results.push(items);
            }
            at += 1;
        }
        Ok(results)
    }

    fn steps<'a>(&mut self, mut items: Vec<Item<'a>>, nodes: &'a [Node]) -> Items<'a> {
        for node in nodes {
            items = self.step(items, node)?;
        }
        Ok(items)
    }

    fn step<'a>(&mut self, items: Vec<Item<'a>>, node: &'a Node) -> Items<'a> {
        self.spend(items.len() + 1)?;
        match node {
            Node::List(nodes) => self.steps(items, nodes),
            Node::Literal(Literal::Text(value)) => Ok(vec![Item::Value(value)]),
            Node::Literal(Literal::Each(value)) => {
                Ok(items.iter().map(|_| Item::Value(value)).collect())
            }
            Node::Field(name) => self.field(&items, name),
            Node::Slice(slice) => sliced(items, slice),
            Node::Filter(filter) => self.filtered(items, filter),
            Node::Wildcard => {
                let found: Vec<_> = items.iter().flat_map(children).collect();
                self.spend(found.len())?;
                Ok(found)
            }
            Node::Recursive => {
                let mut found = Vec::new();
                for item in &items {
                    self.descend(item, &mut found)?;
                }
                Ok(found)
            }
            Node::Union(lists) => {
                let mut found = Vec::new();
                for nodes in lists {
                    match self.steps(items.clone(), nodes) {
                        Ok(some) => found.extend(some),
                        Err(Failure { message, .. }) => return fail(message, items),
                    }
                }
                Ok(found)
            }
            Node::Identifier(name) => self.identifier(items, name),
        }
    }

    /// Counts steps and results, and fails if there are too many.
    fn spend<'a>(&mut self, effort: usize) -> Result<(), Failure<'a>> {
        self.effort += effort;
        match self.effort {
            0..=MAX_EFFORT => Ok(()),
            _ => fail("the template has too many results", Vec::new()),
        }
    }

    fn identifier<'a>(&mut self, items: Vec<Item<'a>>, name: &str) -> Items<'a> {
        match name {
            "range" => {
                self.ranges += 1;
                Ok(items)
            }
            "end" if self.depth > 0 => {
                self.ends += 1;
                Ok(Vec::new())
            }
            "end" => fail("not in range, nothing to end", Vec::new()),
            other => fail(format!("unrecognized identifier {other}"), items),
        }
    }

    fn field<'a>(&mut self, items: &[Item<'a>], name: &str) -> Items<'a> {
        let of = |item: &Item<'a>| match item {
            Item::Value(value) => value.get(name).map(Item::Value),
            _ => None,
        };
        let found: Vec<_> = items.iter().filter_map(of).collect();
        if found.is_empty() && !items.is_empty() && !self.missing_keys {
            return fail(format!("{name} is not found"), found);
        }
        Ok(found)
    }

    fn descend<'a>(
        &mut self,
        item: &Item<'a>,
        found: &mut Vec<Item<'a>>,
    ) -> Result<(), Failure<'a>> {
        let children = children(item);
        if children.is_empty() {
            return Ok(());
        }
        self.spend(children.len())?;
        found.push(*item);
        children.iter().try_for_each(|child| self.descend(child, found))
    }

    fn filtered<'a>(&mut self, items: Vec<Item<'a>>, filter: &'a Filter) -> Items<'a> {
        let mut found = Vec::new();
        for item in &items {
            let Item::Value(Value::Array(elements)) = item else {
                let shown = plain(item);
                return fail(
                    format!("{shown} is not array or slice and cannot be filtered"),
                    items,
                );
            };
            for element in elements {
                let element = Item::Value(element);
                match self.is_kept(&element, filter) {
                    Ok(true) => found.push(element),
                    Ok(false) => {}
                    Err(message) => return fail(message, items),
                }
            }
        }
        Ok(found)
    }

    fn is_kept<'a>(&mut self, element: &Item<'a>, filter: &'a Filter) -> Result<bool, String> {
        let left = self.steps(vec![*element], &filter.left);
        let Some((operator, right)) = &filter.comparison else {
            let found = left.unwrap_or_else(|failure| failure.items);
            return Ok(!found.is_empty());
        };
        let Some(left) = only_one(left)? else {
            return Ok(false);
        };
        match only_one(self.steps(vec![*element], right))? {
            Some(right) => compare(operator, &left, &right),
            None => Ok(false),
        }
    }
}

fn only_one<'a>(items: Items<'a>) -> Result<Option<Item<'a>>, String> {
    let mut items = items.map_err(|failure| failure.message)?;
    match items.len() {
        0 | 1 => Ok(items.pop()),
        _ => Err("can only compare one element at a time".to_owned()),
    }
}

fn children<'a>(item: &Item<'a>) -> Vec<Item<'a>> {
    match item {
        Item::Value(Value::Object(map)) => map.values().map(Item::Value).collect(),
        Item::Value(Value::Array(elements)) => elements.iter().map(Item::Value).collect(),
        Item::Value(Value::String(text)) => text.bytes().map(Item::Byte).collect(),
        _ => Vec::new(),
    }
}

fn sliced<'a>(items: Vec<Item<'a>>, slice: &Slice) -> Items<'a> {
    let mut found = Vec::new();
    for item in &items {
        let elements = match item {
            Item::Value(Value::Null) | Item::Nothing => continue,
            Item::Value(Value::Array(elements)) => elements,
            other => return fail(format!("{} is not array or slice", type_of(other)), items),
        };
        match bounds(slice, elements.len()) {
            Ok(Some((start, end))) => {
                let step = match slice.step {
                    Some(..=0) => return fail("step must be > 0", items),
                    step => step.and_then(|step| usize::try_from(step).ok()).unwrap_or(1),
                };
                found.extend(elements[start..end].iter().step_by(step).map(Item::Value));
            }
            // client-go leaves out the lists after this one too.
            Ok(None) => return Ok(found),
            Err(message) => return fail(message, items),
        }
    }
    Ok(found)
}

/// The range of elements in a list of `length`; `None` for no element.
fn bounds(slice: &Slice, length: usize) -> Result<Option<(usize, usize)>, String> {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let from_end = |index: i64| if index < 0 { index + length } else { index };
    let start = from_end(slice.start.unwrap_or(0));
    let end = match slice.end {
        None => length,
        Some(0) if slice.is_index => length,
        Some(end) => from_end(end),
    };
    if start == end {
        return Ok(None);
    }
    let outside =
        |index: i64| Err(format!("array index out of bounds: index {index}, length {length}"));
    if !(0..length).contains(&start) {
        return outside(start);
    }
    if !(0..=length).contains(&end) {
        return outside(end.wrapping_sub(1));
    }
    if start > end {
        return Err(format!("starting index {start} is greater than ending index {end}"));
    }
    Ok(usize::try_from(start).ok().zip(usize::try_from(end).ok()))
}

fn plain(item: &Item<'_>) -> String {
    match item {
        Item::Value(value) => go::plain(value),
        Item::Byte(byte) => byte.to_string(),
        Item::Nothing => "<invalid reflect.Value>".to_owned(),
    }
}

/// The Go type of the item in kubectl.
fn type_of(item: &Item<'_>) -> &'static str {
    let value = match item {
        Item::Value(value) => *value,
        Item::Byte(_) => return "uint8",
        Item::Nothing => return "nothing",
    };
    match value {
        Value::Object(_) => "map[string]interface {}",
        Value::Array(_) => "[]interface {}",
        Value::String(_) => "string",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_i64() => "int64",
        Value::Number(_) => "float64",
        Value::Null => "nil",
    }
}
