//! Amounts, times and shares, readable; exact where somebody points at them.

use aigen_types::{Address, Amount, Timestamp};
use maud::{Markup, html};
use std::time::{SystemTime, UNIX_EPOCH};

const NANO: u128 = 1_000_000_000;
const SECONDS_PER_DAY: u64 = 86_400;

/// An amount with four places, or as many as it takes to say something.
pub fn amount(amount: Amount) -> Markup {
    let nano = amount.nano();
    let exact = format!("{amount} AIGEN");
    html! { data value=(amount) title=(exact) { (rounded(nano)) } }
}

/// The same, with the currency's name.
pub fn aigen(sum: Amount) -> Markup {
    html! { (amount(sum)) " " abbr title="the network's currency" { "AIGEN" } }
}

/// The same as text, where no element fits.
pub fn plain(sum: Amount) -> String {
    rounded(sum.nano())
}

fn rounded(nano: u128) -> String {
    // Below a thousandth of an AIGEN four places would say nothing.
    let places = if nano < NANO / 1_000 { 9 } else { 4 };
    let unit = 10_u128.pow(9 - places);
    let rounded = (nano + unit / 2) / unit * unit;
    let part = format!("{:09}", rounded % NANO);
    let part = part[..places as usize].trim_end_matches('0');
    let whole = grouped(rounded / NANO);
    match part {
        "" => whole,
        part => format!("{whole}.{part}"),
    }
}

/// A whole number with its thousands apart.
pub fn grouped(number: impl Into<u128>) -> String {
    let digits = number.into().to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// Parts per million as per cent with one place.
pub fn percent(ppm: i64) -> Markup {
    let text = format!(
        "{}{}.{}",
        sign(ppm),
        ppm.unsigned_abs() / 10_000,
        ppm.unsigned_abs() / 1_000 % 10
    );
    html! { data value=(ppm) title={ (ppm) " parts per million" } { (text) "\u{202f}%" } }
}

fn sign(number: i64) -> &'static str {
    if number < 0 { "−" } else { "" }
}

/// A share as a bar, with its number beside it. No style attributes are allowed on a page, so
/// the bar is a `meter`.
pub fn share(ppm: u32, what: &str) -> Markup {
    html! {
        span.share {
            meter min="0" max="1000000" value=(ppm) aria-label=(what) {}
            (percent(ppm.into()))
        }
    }
}

/// When something was, and how long ago.
pub fn time(at: Timestamp) -> Markup {
    let seconds = at.0 / 1_000_000_000;
    let exact = calendar(seconds);
    html! { time datetime={ (exact.replace(' ', "T")) "Z" } title={ (exact) " UTC" } { (ago(seconds, now())) } }
}

/// How long something has lasted.
pub fn age(since: Timestamp) -> Markup {
    let seconds = now().saturating_sub(since.0 / 1_000_000_000);
    html! { (lasting(seconds)) }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}

fn ago(at: u64, now: u64) -> String {
    match now.checked_sub(at) {
        None => format!("in {}", lasting(at - now)),
        Some(0..=1) => "now".to_owned(),
        Some(past) => format!("{} ago", lasting(past)),
    }
}

fn lasting(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / SECONDS_PER_DAY),
    }
}

/// `YYYY-MM-DD HH:MM:SS` of seconds since 1970, by the civil calendar (Howard Hinnant,
/// "chrono-compatible low-level date algorithms").
fn calendar(seconds: u64) -> String {
    let days = seconds / SECONDS_PER_DAY + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let of_day = seconds % SECONDS_PER_DAY;
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

/// The beginning of something long, whole where somebody points at it.
pub fn short(text: impl ToString) -> Markup {
    let text = text.to_string();
    let begin: String = text.chars().take(10).collect();
    html! { code title=(text) { (begin) @if begin.len() < text.len() { "…" } } }
}

/// An address, and the way to what moved there; one that ends with a digest would be wider than
/// its page, and is whole on hover.
pub fn address(address: &Address) -> Markup {
    let text = address.as_str();
    let shown = shortened(text);
    let whole = (shown != text).then_some(text);
    html! { a.address href={ "/ledger?account=" (text) } title=[whole] { (shown) } }
}

/// The same where nobody can follow: whoever paid may not see what moved at a payee's.
pub fn payee(address: &Address) -> Markup {
    let text = address.as_str();
    let shown = shortened(text);
    let whole = (shown != text).then_some(text);
    html! { span.address title=[whole] { (shown) } }
}

fn shortened(text: &str) -> String {
    match text.rsplit_once(':') {
        Some((kind, id)) if is_digest(id) => format!("{kind}:{}…", &id[..10]),
        _ => text.to_owned(),
    }
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_ends_with_a_digest_is_whole_on_hover() {
        let digest = "7".repeat(64);
        let escrow: Address = format!("escrow:controller:{digest}").parse().unwrap();
        assert_eq!(
            payee(&escrow).into_string(),
            format!(
                "<span class=\"address\" title=\"{escrow}\">escrow:controller:7777777777…</span>"
            )
        );
        let ada: Address = "user:ada".parse().unwrap();
        assert_eq!(
            payee(&ada).into_string(),
            "<span class=\"address\">user:ada</span>"
        );
    }

    #[test]
    fn amounts_say_something_at_every_size() {
        for (nano, text) in [
            (0, "0"),
            (1, "0.000000001"),
            (999_999, "0.000999999"),
            (1_000_000, "0.001"),
            (1_234_567, "0.0012"),
            (1_250_000_000, "1.25"),
            (999_999_999_999, "1\u{202f}000"),
            (1_234_567_891_234_567, "1\u{202f}234\u{202f}567.8912"),
        ] {
            assert_eq!(rounded(nano), text, "{nano}");
        }
    }

    #[test]
    fn what_is_rounded_is_exact_behind_it() {
        let shown = amount(Amount::from_nano(1_234_567_891)).into_string();
        assert_eq!(
            shown,
            r#"<data value="1.234567891" title="1.234567891 AIGEN">1.2346</data>"#
        );
    }

    #[test]
    fn addresses_are_as_wide_as_a_table_allows() {
        let id = "ab".repeat(32);
        for (text, shown) in [
            ("user:ada".to_owned(), ">user:ada</a>".to_owned()),
            (
                format!("escrow:controller:{id}"),
                format!(" title=\"escrow:controller:{id}\">escrow:controller:ababababab…</a>"),
            ),
        ] {
            let link = address(&text.parse().unwrap()).into_string();
            assert!(link.ends_with(&shown), "{link}");
        }
    }

    #[test]
    fn times_are_days_of_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01 00:00:00"),
            (951_782_400, "2000-02-29 00:00:00"),
            (1_795_824_061, "2026-11-28 00:01:01"),
            (4_107_542_399, "2100-02-28 23:59:59"),
            (4_107_542_400, "2100-03-01 00:00:00"),
        ] {
            assert_eq!(calendar(seconds), text);
        }
    }

    #[test]
    fn ages_are_told_in_one_unit() {
        for (at, now, text) in [
            (100, 100, "now"),
            (100, 160, "60 s ago"),
            (0, 7_200, "2 h ago"),
            (0, 400_000, "4 days ago"),
            (130, 100, "in 30 s"),
        ] {
            assert_eq!(ago(at, now), text);
        }
    }

    #[test]
    fn negative_shares_are_negative() {
        let shown = percent(-205_000).into_string();
        assert!(shown.contains("−20.5"), "{shown}");
        assert!(percent(-5_000).into_string().contains("−0.5"));
    }
}
