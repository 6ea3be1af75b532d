//! The UTC calendar in whole days since the Unix epoch: days, weeks that begin on Monday, months.

use aigen_types::{NameError, Timestamp};
use core::{fmt, str::FromStr};

const SECONDS_PER_DAY: u64 = 86_400;
const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// 1970-01-01 was a Thursday, three days after a Monday.
const DAYS_AFTER_MONDAY: u64 = 3;

/// Days from 0000-03-01 to 1970-01-01.
const DAYS_BEFORE_1970: u64 = 719_468;

/// How often a budget begins anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Period {
    /// At midnight, UTC.
    Day,
    /// On Monday at midnight, UTC.
    Week,
    /// On the first of the month at midnight, UTC.
    Month,
    /// Never.
    Total,
}

const NAMES: [(&str, Period); 4] = [
    ("day", Period::Day),
    ("week", Period::Week),
    ("month", Period::Month),
    ("total", Period::Total),
];

impl Period {
    /// The window of this kind that `now` lies in.
    #[must_use]
    pub fn window(self, now: Timestamp) -> Window {
        let day = now.seconds().div_euclid(SECONDS_PER_DAY);
        let first_day = match self {
            Self::Day => day,
            Self::Week => day.saturating_sub(day.saturating_add(DAYS_AFTER_MONDAY).rem_euclid(7)),
            Self::Month => first_of_month(day),
            Self::Total => 0,
        };
        Window {
            period: self,
            first_day,
        }
    }

    /// One word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        let named = NAMES.iter().find(|(_, period)| *period == self);
        named.map_or("total", |(name, _)| name)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Period {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let named = NAMES.iter().find(|(name, _)| *name == text);
        let unknown = || NameError::new("a period", "write day, week, month or total", text);
        named.map(|(_, period)| *period).ok_or_else(unknown)
    }
}

/// One period of time, by its first day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window {
    /// Of which kind.
    pub period: Period,
    /// Days from 1970-01-01 to its first day; 0 for the one that never ends.
    pub first_day: u64,
}

impl Window {
    /// When it ends; `None` if it never does.
    #[must_use]
    pub fn ends_at(self) -> Option<Timestamp> {
        let days = match self.period {
            Period::Day => 1,
            Period::Week => 7_u64.saturating_sub(self.days_cut_off()),
            // The first of some month and 31 days more is in the next one.
            Period::Month => {
                first_of_month(self.first_day.saturating_add(31)).saturating_sub(self.first_day)
            }
            Period::Total => return None,
        };
        let day = self.first_day.saturating_add(days);
        let seconds = day.saturating_mul(SECONDS_PER_DAY);
        Some(Timestamp(seconds.saturating_mul(NANOS_PER_SECOND)))
    }

    /// The week of 1970-01-01 began before there was time.
    fn days_cut_off(self) -> u64 {
        self.first_day
            .saturating_add(DAYS_AFTER_MONDAY)
            .rem_euclid(7)
    }
}

/// The first day of the month in which `day` lies: the Gregorian calendar in whole numbers, in
/// eras of 400 years that begin on the first of March.
fn first_of_month(day: u64) -> u64 {
    let of_era = day.saturating_add(DAYS_BEFORE_1970).rem_euclid(146_097);
    let leap_days = of_era
        .div_euclid(36_524)
        .saturating_sub(of_era.div_euclid(146_096));
    let year = of_era
        .saturating_sub(of_era.div_euclid(1_460))
        .saturating_add(leap_days)
        .div_euclid(365);
    let before_year = year
        .saturating_mul(365)
        .saturating_add(year.div_euclid(4))
        .saturating_sub(year.div_euclid(100));
    let of_year = of_era.saturating_sub(before_year);
    // Months from March on, whose lengths follow a line of slope 153/5.
    let month = of_year.saturating_mul(5).saturating_add(2).div_euclid(153);
    let before_month = month.saturating_mul(153).saturating_add(2).div_euclid(5);
    day.saturating_sub(of_year.saturating_sub(before_month))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Day counts as `date -u -d DATE +%s` gives them, divided by 86,400.
    #[test]
    fn windows_follow_the_calendar() {
        for (date, day, week, month, next_month) in [
            ("1970-01-01 Thu", 0, 0, 0, 31),
            ("1970-01-05 Mon", 4, 4, 0, 31),
            ("2000-02-29 Tue", 11_016, 11_015, 10_988, 11_017),
            ("2000-03-01 Wed", 11_017, 11_015, 11_017, 11_048),
            ("2023-11-14 Tue", 19_675, 19_674, 19_662, 19_692),
            ("2024-02-29 Thu", 19_782, 19_779, 19_754, 19_783),
            ("2024-12-31 Tue", 20_088, 20_087, 20_058, 20_089),
            ("2100-02-28 Sun", 47_540, 47_534, 47_513, 47_541),
            ("2100-03-01 Mon", 47_541, 47_541, 47_541, 47_572),
        ] {
            let at = |day: u64| Timestamp(day * SECONDS_PER_DAY * NANOS_PER_SECOND);
            for now in [at(day), Timestamp(at(day + 1).0 - 1)] {
                let first = |period: Period| period.window(now).first_day;
                assert_eq!(first(Period::Day), day, "{date}");
                assert_eq!(first(Period::Week), week, "{date}");
                assert_eq!(first(Period::Month), month, "{date}");
                assert_eq!(first(Period::Total), 0, "{date}");
                let ends = |period: Period| period.window(now).ends_at();
                assert_eq!(ends(Period::Day), Some(at(day + 1)), "{date}");
                assert_eq!(ends(Period::Month), Some(at(next_month)), "{date}");
                assert_eq!(ends(Period::Total), None, "{date}");
                let next_monday = if week == 0 { 4 } else { week + 7 };
                assert_eq!(ends(Period::Week), Some(at(next_monday)), "{date}");
            }
        }
    }

    /// Every day of two centuries against a calendar that is simply counted.
    #[test]
    fn months_are_as_long_as_they_are() {
        let (mut first, mut year, mut month) = (0, 1970, 0);
        while year < 2170 {
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let february = if leap { 29 } else { 28 };
            let days = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month];
            for day in first..first + days {
                assert_eq!(first_of_month(day), first, "month {} of {year}", month + 1);
            }
            first += days;
            month = (month + 1) % 12;
            year += u32::from(month == 0);
        }
    }

    #[test]
    fn periods_have_names() {
        for (name, period) in NAMES {
            assert_eq!((name.parse(), period.as_str()), (Ok(period), name));
        }
        assert!("year".parse::<Period>().is_err());
    }
}
