//! Links to the pages of an output by month.

use super::site_links::page_url;
use super::stories::Frame;
use crate::outputs::{Month, Query};

/// The months of one year.
pub(super) struct Year {
    /// The year, in the digits of dates.
    pub(super) number: i16,
    /// Its months with stories, the newest first.
    pub(super) months: Vec<MonthLink>,
    /// Whether its months are shown at first: it is the newest year, or has the month of the page.
    pub(super) is_open: bool,
}

/// A link to the page of a month.
pub(super) struct MonthLink {
    /// Name of the month: `November`.
    pub(super) name: String,
    /// Name with the year: `November 2023`.
    pub(super) title: String,
    /// URL of the page.
    pub(super) page: String,
    /// Whether it is the month of this page.
    pub(super) selected: bool,
}

/// All months, by year, without the filters of the page. Empty where there is only one.
pub(super) fn by_year(months: &[Month], frame: &Frame, query: &Query) -> Vec<Year> {
    let mut years: Vec<Year> = Vec::new();
    if months.len() < 2 {
        return years;
    }
    for month in months {
        let link = link(*month, frame, &Query::default(), query.month == Some(*month));
        let number = month.first_day().year();
        match years.last_mut().filter(|year| year.number == number) {
            Some(year) => {
                year.is_open |= link.selected;
                year.months.push(link);
            }
            None => {
                let is_open = years.is_empty() || link.selected;
                years.push(Year { number, months: vec![link], is_open });
            }
        }
    }
    years
}

/// The next newer month with stories on the first page of a month, and the next older one on its last page, with the
/// filters of the page.
pub(super) fn neighbours(
    months: &[Month],
    frame: &Frame,
    (query, is_first, is_last): (&Query, bool, bool),
) -> Vec<MonthLink> {
    let Some(shown) = query.month else { return Vec::new() };
    let newer = months.iter().rfind(|month| is_first && **month > shown);
    let older = months.iter().find(|month| is_last && **month < shown);
    newer.into_iter().chain(older).map(|month| link(*month, frame, query, false)).collect()
}

fn link(month: Month, frame: &Frame, filter: &Query, selected: bool) -> MonthLink {
    let query = Query { month: Some(month), after: None, ..filter.clone() };
    MonthLink {
        name: frame.texts.calendar().month_name(month.first_day()),
        title: frame.texts.calendar().month(month.first_day()),
        page: page_url(frame, &query),
        selected,
    }
}
