//! Dates of three numbers: which dates they can be, and in which order a document writes them.

use jiff::civil::Date;

use super::date_calendars::{ShortYears, day_of};
use super::date_names::meanings;
use super::dates::primary;
use super::tree::Element;

/// Order of the numbers of a date, by the first one. After the month comes the day, after the others the month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Year,
    Day,
    Month,
}

const ORDERS: [Order; 3] = [Order::Year, Order::Day, Order::Month];

/// The dates that three numbers are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Numbers {
    separator: char,
    /// The dates, each with its order; at least one.
    dates: Vec<(Order, Date)>,
}

impl Numbers {
    /// The dates of three numbers with a separator: `31/12/2024`, `12/31/2024`, `31.12.2024`, `24-12-31`. With dots, the day
    /// is first or the year. `None` if they are no date in any order.
    pub(crate) fn new(parts: [&str; 3], separator: char, short_years: ShortYears) -> Option<Self> {
        let all_digits =
            |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !parts.iter().all(all_digits) {
            return None;
        }
        let at = |year: usize, month: usize, day: usize| {
            let short = parts[year].len() == 2;
            let year: i16 = parts[year].parse().ok().filter(|_| short || parts[year].len() == 4)?;
            let year = if short { short_years.year(year) } else { year };
            day_of(year, parts[month].parse().ok()?, parts[day].parse().ok()?)
        };
        let [first, last] = [parts[0].len(), parts[2].len()];
        let date = |order: Order| match order {
            Order::Year => at(0, 1, 2).filter(|_| last <= 2),
            Order::Day => at(2, 1, 0).filter(|_| first <= 2),
            Order::Month => at(2, 0, 1).filter(|_| first <= 2 && separator != '.'),
        };
        let dates = ORDERS.into_iter().filter_map(|order| Some((order, date(order)?)));
        let dates: Vec<_> = dates.collect();
        (!dates.is_empty()).then_some(Self { separator, dates })
    }

    /// The dates on one of these days of the week, in days since Monday. All of them, if none is.
    pub(crate) fn on(mut self, weekdays: &[i8]) -> Self {
        let is_on = |date: &Date| weekdays.contains(&date.weekday().to_monday_zero_offset());
        if self.dates.iter().any(|(_, date)| is_on(date)) {
            self.dates.retain(|(_, date)| is_on(date));
        }
        self
    }

    /// The dates that may be meant. A year of two digits is first in the form of ISO 8601, `24-12-31`; with slashes, only if
    /// there is no other date.
    fn meant(&self) -> &[(Order, Date)] {
        match (self.separator, self.dates.as_slice()) {
            ('-', [year @ (Order::Year, _), ..]) => std::slice::from_ref(year),
            ('/', [(Order::Year, _), others @ ..]) if !others.is_empty() => others,
            (_, all) => all,
        }
    }

    /// The only date, or that in the order of the document or of its language.
    pub(crate) fn date(&self, order: Option<Order>, language: Option<&str>) -> Option<Date> {
        let order = order.or_else(|| dotted(language).filter(|_| self.separator == '.'));
        let dates = self.meant();
        let (_, first) = dates.first()?;
        if dates.iter().all(|(_, date)| date == first) {
            return Some(*first);
        }
        dates.iter().find(|(of, _)| Some(*of) == order).map(|(_, date)| *date)
    }
}

/// The order of a date with dots in a language, if all who write one write it so.
fn dotted(language: Option<&str>) -> Option<Order> {
    const DAY: &[&str] = &[
        "az", "be", "bg", "bs", "cs", "da", "de", "et", "fi", "fr", "he", "hr", "hy", "is", "it",
        "ka", "kk", "ky", "lv", "mk", "nb", "nn", "no", "pl", "ro", "ru", "sk", "sl", "sq", "sr",
        "tr", "uk",
    ];
    let primary = primary(language).to_ascii_lowercase();
    match primary.as_str() {
        "hu" | "ja" | "ko" | "mn" | "zh" => Some(Order::Year),
        other => DAY.contains(&other).then_some(Order::Day),
    }
}

/// The only order in which all dates of three numbers in a document are dates, by the elements of its items; `None` if
/// there are several or none.
pub(crate) fn of_document<'e>(items: impl Iterator<Item = &'e Element<'e>>) -> Option<Order> {
    let is_date = |name: &str| {
        let name = name.to_ascii_lowercase();
        name.ends_with("date")
            || ["published", "updated", "issued", "modified", "created"].contains(&name.as_str())
    };
    let mut orders = ORDERS.to_vec();
    let parts = items.flat_map(Element::elements).filter(|part| is_date(part.name));
    for numbers in parts.filter_map(|part| numbers_in(&part.text())) {
        orders.retain(|order| numbers.meant().iter().any(|(of, _)| of == order));
    }
    if let [only] = orders.as_slice() { Some(*only) } else { None }
}

/// The three numbers of a date in a text, such as `Tue, 31/12/2024 10:00`, as far as its weekday permits. `None` for a year
/// of four digits at the beginning, which shows nothing about other dates.
fn numbers_in(text: &str) -> Option<Numbers> {
    let text = text.trim();
    if text.len() > 100 {
        return None;
    }
    let words = text.split(|c: char| c.is_whitespace() || c == ',');
    let short_years = ShortYears::of(text, None);
    let numbers = words.clone().find_map(|word| {
        let separator = if word.contains('/') { '/' } else { '-' };
        let mut parts = word.split(separator);
        let three = [parts.next()?, parts.next()?, parts.next()?];
        let is_short = three[0].len() <= 2 && parts.next().is_none();
        is_short.then(|| Numbers::new(three, separator, short_years)).flatten()
    })?;
    let names = words.flat_map(|word| meanings(&word.to_lowercase()));
    let weekdays: Vec<i8> = names.filter_map(|meaning| meaning.weekday()).collect();
    Some(numbers.on(&weekdays))
}

#[cfg(test)]
mod tests {
    use super::super::scan::scan;
    use super::*;

    fn order(dates: &[&str]) -> Option<Order> {
        let items = dates.iter().map(|date| format!("<item><pubDate>{date}</pubDate></item>"));
        let document = format!("<a>{}</a>", items.collect::<String>());
        let tree = scan(&document).unwrap();
        of_document(tree.root.elements())
    }

    #[test]
    fn one_certain_date_shows_the_order_of_all() {
        for (dates, expected) in [
            (["11/10/2026 08:00", "30/10/2026 08:00"], Some(Order::Day)),
            (["11/10/2026 8:00 AM", "10/30/2026 8:00 AM"], Some(Order::Month)),
            (["11/10/2026", "Tuesday, 11/10/2026"], Some(Order::Month)),
            (["10-11-2026", "30-10-2026"], Some(Order::Day)),
            (["11/10/26", "30/10/26"], Some(Order::Day)),
            (["11/10/26", "10/30/26"], Some(Order::Month)),
            (["30/10/2026", "2026-11-10"], Some(Order::Day)),
            (["26-11-10", "26-11-30"], Some(Order::Year)),
            (["2026-11-10", "2026-11-09"], None),
            (["11/10/2026", "11/03/2026"], None),
            (["30/10/2026", "10/30/2026"], None),
            (["11/10/26", "11/03/26"], None),
            (["Tue, 10 Nov 2026 08:00:00 GMT", ""], None),
        ] {
            assert_eq!(order(&dates), expected, "{dates:?}");
        }
    }

    #[test]
    fn a_weekday_or_the_order_of_the_document_decides() {
        let of = |text: &str| {
            let parts: Vec<&str> = text.split('/').collect();
            Numbers::new([parts[0], parts[1], parts[2]], '/', ShortYears::Common).unwrap()
        };
        let date = |text: &str| Some(text.parse::<Date>().unwrap());
        assert_eq!(of("11/10/2026").on(&[1]).date(None, None), date("2026-11-10"));
        assert_eq!(of("11/10/2026").on(&[6]).date(None, None), date("2026-10-11"));
        for weekdays in [[].as_slice(), &[3]] {
            assert_eq!(of("11/10/2026").on(weekdays).date(None, None), None);
        }
        assert_eq!(of("11/10/2026").date(Some(Order::Day), None), date("2026-10-11"));
        assert_eq!(of("11/10/2026").date(Some(Order::Year), None), None);
        assert_eq!(of("11/11/2026").date(None, None), date("2026-11-11"));
        assert_eq!(of("13/11/2026").date(Some(Order::Month), None), date("2026-11-13"));
        assert_eq!(of("11/10/26").date(None, None), None);
        assert_eq!(of("30/10/26").date(None, None), date("2026-10-30"));
        assert_eq!(of("11/10/26").date(Some(Order::Day), None), date("2026-10-11"));
        assert_eq!(of("99/12/31").date(None, None), date("1999-12-31"));
    }
}
