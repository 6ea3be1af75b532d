use crate::{NameError, Timestamp};
use core::{fmt, str::FromStr};

const SECONDS_PER_DAY: u64 = 86_400;
const DAYS_PER_ERA: u64 = 146_097;
const YEARS_PER_ERA: u64 = 400;

/// Days from 0000-03-01, where the first era begins, to 1970-01-01.
const DAYS_BEFORE_1970: u64 = 719_468;

/// A day of the Gregorian calendar in UTC, counted from 1970-01-01; written `2026-01-31`.
///
/// Years are counted from March, so that the leap day is the last one, in eras of 400 years
/// (Howard Hinnant, "chrono-compatible low-level date algorithms").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub u64);

impl Day {
    /// The last one that is written with four digits of a year.
    pub const MAX: Self = Self(2_932_896);

    /// The day of this time.
    #[must_use]
    pub const fn of(at: Timestamp) -> Self {
        Self(at.seconds().div_euclid(SECONDS_PER_DAY))
    }

    /// Year, month and day of the month.
    #[must_use]
    pub const fn date(self) -> (u64, u64, u64) {
        let days = self.0.saturating_add(DAYS_BEFORE_1970);
        let of_era = days.rem_euclid(DAYS_PER_ERA);
        let year = of_era
            .saturating_add(of_era.div_euclid(36_524))
            .saturating_sub(of_era.div_euclid(1_460))
            .saturating_sub(of_era.div_euclid(146_096))
            .div_euclid(365);
        let of_year = of_era.saturating_sub(days_before(year));
        // Months from March on, whose lengths follow a line of slope 153/5.
        let from_march = of_year.saturating_mul(5).saturating_add(2).div_euclid(153);
        let day = of_year
            .saturating_sub(days_before_month(from_march))
            .saturating_add(1);
        let month = from_march
            .saturating_add(2)
            .rem_euclid(12)
            .saturating_add(1);
        let era_years = days.div_euclid(DAYS_PER_ERA).saturating_mul(YEARS_PER_ERA);
        let year = year.saturating_add(era_years);
        (
            year.saturating_add(if month <= 2 { 1 } else { 0 }),
            month,
            day,
        )
    }

    /// `None` before 1970.
    const fn from_date(year: u64, month: u64, day: u64) -> Option<Self> {
        let year = year.saturating_sub(if month <= 2 { 1 } else { 0 });
        let from_march = month.saturating_add(9).rem_euclid(12);
        let of_era = days_before(year.rem_euclid(YEARS_PER_ERA))
            .saturating_add(days_before_month(from_march))
            .saturating_add(day.saturating_sub(1));
        let eras = year.div_euclid(YEARS_PER_ERA).saturating_mul(DAYS_PER_ERA);
        match eras.saturating_add(of_era).checked_sub(DAYS_BEFORE_1970) {
            Some(days) => Some(Self(days)),
            None => None,
        }
    }
}

/// Days of an era before a year of it.
const fn days_before(year: u64) -> u64 {
    year.saturating_mul(365)
        .saturating_add(year.div_euclid(4))
        .saturating_sub(year.div_euclid(100))
}

/// Days of a year before a month of it, counted from March.
const fn days_before_month(from_march: u64) -> u64 {
    from_march
        .saturating_mul(153)
        .saturating_add(2)
        .div_euclid(5)
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.date();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

impl FromStr for Day {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let rule = "write a day from 1970 to 9999 as YYYY-MM-DD, like 2026-01-31";
        let number = |text: &str| text.parse::<u64>().ok();
        let parsed = || {
            let (year, rest) = text.split_once('-')?;
            let (month, day) = rest.split_once('-')?;
            let day = Self::from_date(number(year)?, number(month)?, number(day)?)?;
            // A date that does not exist is written otherwise, and so is a careless one.
            (day <= Self::MAX && alloc::format!("{day}") == text).then_some(day)
        };
        parsed().ok_or_else(|| NameError::new("a day", rule, text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn days_are_written_as_dates_and_read_back() {
        for (days, text) in [
            (0, "1970-01-01"),
            (58, "1970-02-28"),
            (59, "1970-03-01"),
            (11_016, "2000-02-29"),
            (11_017, "2000-03-01"),
            (19_782, "2024-02-29"),
            (20_818, "2026-12-31"),
            (47_540, "2100-02-28"),
            (47_541, "2100-03-01"),
            (Day::MAX.0, "9999-12-31"),
        ] {
            assert_eq!(Day(days).to_string(), text);
            assert_eq!(text.parse(), Ok(Day(days)), "{text}");
        }
    }

    #[test]
    fn every_day_is_the_one_after_the_day_before() {
        for days in 0..200_000 {
            let text = Day(days).to_string();
            assert_eq!(text.parse(), Ok(Day(days)), "{text}");
            assert!(Day(days + 1).date() > Day(days).date());
        }
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for text in [
            "",
            "2026",
            "2026-1-31",
            "2026-02-29",
            "2100-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-01-00",
            "1969-12-31",
            "2026-01-32",
            "10000-01-01",
            "today",
            "2026-01-31 ",
            "18446744073709551615-01-01",
        ] {
            assert!(text.parse::<Day>().is_err(), "{text:?}");
        }
    }
}
