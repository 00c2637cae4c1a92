//! Codes of recordings and releases.

/// A recording's code as 12 characters (ISO 3901:2019): two letters, three letters or digits, seven digits. Hyphens, spaces,
/// lower case and a leading `ISRC` are people's ways to write it.
///
/// # Errors
/// What was found, and what was expected.
pub fn isrc(text: &str) -> Result<String, String> {
    let upper = text.to_uppercase();
    let bare: String =
        upper.trim_start().strip_prefix("ISRC").unwrap_or(&upper).chars().filter(|c| !" -:".contains(*c)).collect();
    let count = bare.chars().count();
    if count != 12 {
        return Err(format!("isrc '{text}' has {count} characters, expected 12"));
    }
    let right = |(n, c): (usize, char)| match n {
        0 | 1 => c.is_ascii_uppercase(),
        2..=4 => c.is_ascii_uppercase() || c.is_ascii_digit(),
        _ => c.is_ascii_digit(),
    };
    if !bare.chars().enumerate().all(right) {
        return Err(format!("isrc '{text}' is none, expected two letters, three letters or digits, seven digits"));
    }
    Ok(bare)
}

/// A release's UPC (12 digits) or EAN (13), whose last digit is right: with weights 1 and 3 from there on all digits sum to
/// a multiple of ten (GS1 General Specifications, 7.9).
///
/// # Errors
/// What was found, and what was expected.
pub fn upc(text: &str) -> Result<String, String> {
    let bare: String = text.chars().filter(|c| !" -".contains(*c)).collect();
    let digits: Vec<u32> = bare.chars().filter_map(|c| c.to_digit(10)).collect();
    if digits.len() != bare.chars().count() || !(12..=13).contains(&digits.len()) {
        return Err(format!("upc '{text}' is none, expected 12 or 13 digits"));
    }
    let weigh =
        |digits: &[u32]| -> u32 { digits.iter().rev().zip([3, 1].into_iter().cycle()).map(|(d, w)| d * w).sum() };
    let (last, rest) = digits.split_last().unwrap_or((&0, &[]));
    let check = (10 - weigh(rest) % 10) % 10;
    if check != *last {
        return Err(format!("upc '{text}' ends in {last}, its check digit is {check}"));
    }
    Ok(bare)
}

/// The release's code as the 13 digits of a CD's catalogue number: a UPC is an EAN that begins with 0.
#[must_use]
pub fn catalogue(upc: &str) -> String {
    if upc.is_empty() { String::new() } else { format!("{upc:0>13}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of ISO 3901 and of the ISRC handbook, as people write it.
    #[test]
    fn isrcs() {
        for text in ["AA6Q72000047", "aa-6q7-20-00047", "ISRC AA6Q7 20 00047", " isrc:AA-6Q7-20-00047"] {
            assert_eq!(isrc(text).as_deref(), Ok("AA6Q72000047"), "{text}");
        }
        for text in ["AA6Q7200004", "AA6Q720000477", "A16Q72000047", "AA6Q7200004X", "AA6?72000047", ""] {
            assert!(isrc(text).is_err(), "{text}");
        }
    }

    /// Codes that are printed in GS1's and Wikipedia's articles on them.
    #[test]
    fn upcs() {
        for text in ["4006381333931", "036000291452", "5901234123457", "0 36000 29145 2"] {
            assert!(upc(text).is_ok(), "{text}");
        }
        for text in ["4006381333932", "036000291453", "40063813339", "40063813339310", "400638133393X"] {
            assert!(upc(text).is_err(), "{text}");
        }
        assert_eq!(catalogue("036000291452"), "0036000291452");
    }
}
