//! JSON text to values, with limits: a document of many small values would use a hundred times its size, and of
//! many items only the newest are kept.

use std::cell::{Cell, RefCell};
use std::fmt;

use jiff::Timestamp;
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::{Map, Value};

use super::json::stamp;
use super::tree::{MIN_ITEMS, newest};

/// Maximum cost of all values of a document: about 64 MB of memory.
const MAX_COST: usize = 1_000_000;
/// Cost of an object, and of each other value. An object with one member needs about ten times the memory of a
/// number.
const OBJECT: usize = 10;
const SCALAR: usize = 1;
/// Maximum depth of values inside a member or an item. `serde_json` rejects a document at 128; what is deeper is only
/// skipped.
const MAX_DEPTH: usize = 32;

/// A JSON object whose member `items` may be long.
pub(super) struct Document {
    /// All members except `items`.
    pub(super) feed: Map<String, Value>,
    /// The newest objects of `items`, in document order; `None`: it is missing or no array.
    pub(super) items: Option<Vec<Map<String, Value>>>,
    /// Number of items that were dropped because newer ones fill the limit.
    pub(super) dropped: usize,
    /// Number of items that are not objects.
    pub(super) others: usize,
    /// Whether values were left out because there are too many.
    pub(super) partial: bool,
    /// Names of members that an object has several times with different values, each with its number.
    pub(super) repeated: Vec<(String, usize)>,
    /// Whether something other than white space is behind the object.
    pub(super) is_followed: bool,
}

/// Reads a JSON object; at most the newest `max_items` items are kept.
pub(super) fn read(text: &str, max_items: usize) -> serde_json::Result<Document> {
    let left = Left { cost: Cell::new(Some(MAX_COST)), repeated: RefCell::default() };
    let mut reader = serde_json::Deserializer::from_str(text);
    let mut document = Root { left: &left, max_items }.deserialize(&mut reader)?;
    document.is_followed = reader.end().is_err();
    document.partial = left.get().is_none();
    document.repeated = left.repeated.into_inner();
    Ok(document)
}

/// Maximum number of names of repeated members.
const MAX_REPEATED: usize = 10;

/// What is left while a document is read, and what was repeated.
struct Left {
    /// Cost that is left; `None` once it was exceeded, and then for the rest of the document.
    cost: Cell<Option<usize>>,
    repeated: RefCell<Vec<(String, usize)>>,
}

impl Left {
    fn get(&self) -> Option<usize> {
        self.cost.get()
    }

    fn set(&self, cost: Option<usize>) {
        self.cost.set(cost);
    }

    /// Records the name of a member that occurs more than once.
    fn repeat(&self, name: &str) {
        let mut repeated = self.repeated.borrow_mut();
        let is_full = repeated.len() == MAX_REPEATED;
        match repeated.iter_mut().find(|(known, _)| known == name) {
            Some((_, count)) => *count += 1,
            None if !is_full => repeated.push((name.to_owned(), 1)),
            None => {}
        }
    }

    /// Inserts a member. The last value counts, as in `JSON.parse`, but null replaces nothing.
    fn insert(&self, members: &mut Map<String, Value>, name: String, value: Value) {
        match members.get(&name) {
            None => {}
            Some(_) if value.is_null() => return,
            Some(known) if known.is_null() || *known == value => {}
            Some(_) => self.repeat(&name),
        }
        members.insert(name, value);
    }
}

fn spend(left: &Left, cost: usize) -> bool {
    left.set(left.get().and_then(|left| left.checked_sub(cost)));
    left.get().is_some()
}

#[derive(Clone, Copy)]
struct Root<'a> {
    left: &'a Left,
    max_items: usize,
}

impl<'de> DeserializeSeed<'de> for Root<'_> {
    type Value = Document;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Document, D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Root<'_> {
    type Value = Document;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Document, A::Error> {
        let mut document = Document {
            feed: Map::new(),
            items: None,
            dropped: 0,
            others: 0,
            partial: false,
            repeated: Vec::new(),
            is_followed: false,
        };
        while let Some(name) = map.next_key::<String>()? {
            if name == "items" {
                let (items, dropped, others) = map.next_value_seed(Items(self))?;
                document.add(items, self);
                document.dropped += dropped;
                document.others += others;
            } else {
                let value = map.next_value_seed(Bounded { left: self.left, depth: 0 })?;
                self.left.insert(&mut document.feed, name, value);
            }
        }
        document.keep_newest(self.max_items);
        Ok(document)
    }
}

impl Document {
    /// Adds the items of a member `items`; if it is repeated, to those before.
    fn add(&mut self, items: Option<Vec<Map<String, Value>>>, root: Root<'_>) {
        let (mut before, items) = match (self.items.take(), items) {
            (Some(before), Some(items)) => (before, items),
            (before, items) => {
                self.items = before.or(items);
                return;
            }
        };
        root.left.repeat("items");
        before.extend(items);
        let is_long = before.len() / 2 >= root.max_items.max(MIN_ITEMS);
        self.items = Some(before);
        // Once for many members, because each time reads all dates.
        if is_long {
            self.keep_newest(root.max_items);
        }
    }

    fn keep_newest(&mut self, max_items: usize) {
        let Some(items) = self.items.take() else { return };
        let all = items.len();
        let mut kept = Kept { items, stamps: Vec::new() };
        if all > max_items {
            let _ = kept.keep_newest(max_items);
        }
        self.dropped += all - kept.items.len();
        self.items = Some(kept.items);
    }
}

/// Reads the member `items` of the outermost object.
struct Items<'a>(Root<'a>);

/// The newest items in document order, the number of dropped items, and that of values that are not objects.
pub(super) type Newest = (Option<Vec<Map<String, Value>>>, usize, usize);

impl<'de> DeserializeSeed<'de> for Items<'_> {
    type Value = Newest;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Newest, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Items<'_> {
    type Value = Newest;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Newest, A::Error> {
        let Self(Root { left, max_items }) = self;
        let mut kept = Kept { items: Vec::new(), stamps: Vec::new() };
        let (mut dropped, mut others) = (0, 0);
        while let Some(item) = list.next_element_seed(Bounded { left, depth: 0 })? {
            let Value::Object(item) = item else {
                others += 1;
                continue;
            };
            kept.items.push(item);
            if kept.items.len() / 2 >= max_items.max(MIN_ITEMS) {
                let before = kept.items.len();
                // The dropped items free their memory.
                let freed = kept.keep_newest(max_items);
                left.set(left.get().map(|left| left + freed));
                dropped += before - kept.items.len();
            }
        }
        let before = kept.items.len();
        if before > max_items {
            let _ = kept.keep_newest(max_items);
        }
        dropped += before - kept.items.len();
        let items = kept.items;
        Ok((Some(items), dropped, others))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Newest, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok((None, 0, 0))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Newest, E> {
        Ok((None, 0, 0))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Newest, E> {
        Ok((None, 0, 0))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Newest, E> {
        Ok((None, 0, 0))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Newest, E> {
        Ok((None, 0, 0))
    }

    fn visit_str<E>(self, _: &str) -> Result<Newest, E> {
        Ok((None, 0, 0))
    }

    fn visit_unit<E>(self) -> Result<Newest, E> {
        Ok((None, 0, 0))
    }
}

/// Items, and the dates of the first ones, as far as they were needed.
struct Kept {
    items: Vec<Map<String, Value>>,
    stamps: Vec<Timestamp>,
}

impl Kept {
    /// Keeps the newest `max` items. Returns the cost of the dropped ones.
    fn keep_newest(&mut self, max: usize) -> usize {
        let later = self.items.iter().skip(self.stamps.len());
        self.stamps.extend(later.map(stamp));
        let kept = newest(&self.stamps, max);
        let mut each = kept.iter().copied();
        self.stamps.retain(|_| each.next().unwrap_or_default());
        let (mut each, mut freed) = (kept.into_iter(), 0);
        self.items.retain(|item| {
            let keep = each.next().unwrap_or_default();
            freed += if keep { 0 } else { OBJECT + cost_of(item.values()) };
            keep
        });
        freed
    }
}

/// The newest objects of a list that was read as a whole, and the numbers of dropped items and of other values.
pub(super) fn newest_of(list: &[Value], max_items: usize) -> Newest {
    let items: Vec<_> = list.iter().filter_map(Value::as_object).collect();
    let others = list.len() - items.len();
    let dropped = items.len().saturating_sub(max_items);
    let stamps: Vec<Timestamp> = match dropped {
        0 => vec![Timestamp::MIN; items.len()],
        _ => items.iter().copied().map(stamp).collect(),
    };
    let kept = newest(&stamps, max_items).into_iter().zip(items);
    let kept = kept.filter(|(keep, _)| *keep).map(|(_, item)| item.clone()).collect();
    (Some(kept), dropped, others)
}

fn cost_of<'v>(values: impl Iterator<Item = &'v Value>) -> usize {
    values
        .map(|value| match value {
            Value::Object(map) => OBJECT + cost_of(map.values()),
            Value::Array(list) => SCALAR + cost_of(list.iter()),
            _ => SCALAR,
        })
        .sum()
}

/// Any value. What exceeds the cost or the depth is read and dropped.
struct Bounded<'a> {
    left: &'a Left,
    /// Number of values around it.
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Bounded<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        if self.left.get().is_none() || self.depth > MAX_DEPTH {
            return IgnoredAny::deserialize(reader).map(|_| Value::Null);
        }
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Bounded<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let _ = spend(self.left, SCALAR);
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(self.inner())? {
            if self.left.get().is_some() {
                values.push(value);
            }
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let _ = spend(self.left, OBJECT);
        let mut members = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            let value = map.next_value_seed(self.inner())?;
            if self.left.get().is_some() {
                self.left.insert(&mut members, name, value);
            }
        }
        Ok(Value::Object(members))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(self.scalar(Value::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(self.scalar(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(self.scalar(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(self.scalar(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(self.scalar(Value::String(value.to_owned())))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(self.scalar(Value::String(value)))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(self.scalar(Value::Null))
    }
}

impl Bounded<'_> {
    fn inner(&self) -> Self {
        Self { left: self.left, depth: self.depth + 1 }
    }

    fn scalar(&self, value: Value) -> Value {
        if spend(self.left, SCALAR) { value } else { Value::Null }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(second: usize) -> String {
        format!("{{\"date_published\":\"2026-01-01T00:{:02}:{:02}Z\"}}", second / 60, second % 60)
    }

    #[test]
    fn the_newest_items_are_kept_in_document_order() {
        let numbers: Vec<usize> = (0..3_500).map(|n| n * 37 % 3_500).collect();
        let items: Vec<String> = numbers.iter().map(|n| item(*n)).collect();
        let document = format!("{{\"a\":[1,{{}}],\"items\":[3,{}]}}", items.join(","));
        for max_items in [1, 3, 1_000, 3_499] {
            let found = read(&document, max_items).unwrap();
            let expected = numbers.iter().filter(|n| **n >= 3_500 - max_items);
            let expected: Vec<String> = expected.map(|n| item(*n)).collect();
            let kept: Vec<String> = found
                .items
                .unwrap()
                .into_iter()
                .map(|item| Value::Object(item).to_string())
                .collect();
            assert_eq!(kept, expected, "{max_items}");
            assert_eq!((found.dropped, found.partial), (3_500 - max_items, false));
            assert_eq!(Value::Object(found.feed).to_string(), r#"{"a":[1,{}]}"#);
        }
    }

    #[test]
    fn items_of_another_type_are_no_items() {
        for value in ["{}", "1", "-1", "1.5", "\"x\"", "null", "true", "{\"a\":[1]}"] {
            assert!(read(&format!("{{\"items\":{value}}}"), 3).unwrap().items.is_none(), "{value}");
        }
        assert!(read("{\"items\":[}", 3).is_err());
    }

    #[test]
    fn what_is_behind_the_document_is_no_part_of_it() {
        for (behind, is_followed) in
            [("", false), (" \n", false), (" x", true), ("{}", true), ("\0", true)]
        {
            let found = read(&format!("{{\"a\":1}}{behind}"), 3).unwrap();
            assert_eq!((found.feed.len(), found.is_followed), (1, is_followed), "{behind:?}");
        }
    }

    #[test]
    fn what_is_nested_deeply_is_skipped() {
        for (open, close) in [("[", "]"), ("{\"b\":", "}")] {
            let value = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
            let text = format!("{{\"a\":{value},\"items\":[{{\"id\":1,\"x\":{value}}}]}}");
            let found = read(&text, 3).unwrap();
            assert_eq!(found.items.unwrap()[0]["id"], 1);
        }
    }

    #[test]
    fn a_document_of_very_many_values_is_cut() {
        let members = "{\"\":0},".repeat(MAX_COST / OBJECT + 1);
        let text = format!("{{\"items\":[{{\"id\":1,\"x\":[{members}0]}},{{\"id\":2}}],\"b\":1}}");
        let found = read(&text, 3).unwrap();
        assert!(found.partial);
        assert_eq!(found.items.unwrap()[0]["id"], 1);
        // The same number of values in dropped items does not count.
        let items = format!("{{\"items\":[{members}{{\"id\":1}}]}}");
        let found = read(&items, 1_000).unwrap();
        assert!(!found.partial);
        assert_eq!(
            (found.items.unwrap().len(), found.dropped),
            (1_000, MAX_COST / OBJECT + 2 - 1_000)
        );
    }
}
