use std::collections::BTreeSet;

use super::*;

#[test]
fn e1_every_code_is_named_once_and_explained() {
    let names: BTreeSet<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(names.len(), ErrorCode::ALL.len());
    for &code in ErrorCode::ALL {
        assert_eq!(ErrorCode::parse(code.as_str()), Some(code));
        assert_eq!(code.to_string(), code.as_str());
        let snake = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        assert!(code.as_str().bytes().all(snake), "{code}");
        assert!((400..=599).contains(&code.status()), "{code}");
        for text in [code.happened(), code.hint()] {
            assert!(text.ends_with('.') && !text.contains('|'), "{code}: {text}");
            assert!(text.len() <= 110, "{code}: {text}");
        }
    }
    assert_eq!(ErrorCode::parse("nonsense"), None);
}

#[test]
fn e1_statuses_are_those_of_the_rules() {
    for (code, status) in [
        (ErrorCode::InvalidRoom, 400),
        (ErrorCode::InvalidToken, 401),
        (ErrorCode::TokenExpired, 401),
        (ErrorCode::Forbidden, 403),
        (ErrorCode::ForbiddenOrigin, 403),
        (ErrorCode::Banned, 403),
        (ErrorCode::NotConfigured, 500),
        (ErrorCode::RateLimited, 429),
        (ErrorCode::NotFound, 404),
        (ErrorCode::MethodNotAllowed, 405),
        (ErrorCode::BodyTooLarge, 413),
    ] {
        assert_eq!(code.status(), status, "{code}");
    }
}

#[test]
fn e2_every_close_code_belongs_to_its_errors() {
    for (close, expected) in [
        (4000, &[ErrorCode::InvalidToken][..]),
        (4001, &[ErrorCode::TokenExpired]),
        (4100, &[ErrorCode::Restarting]),
        (4101, &[ErrorCode::TooSlow]),
        (4102, &[ErrorCode::Silent]),
        (4103, &[ErrorCode::NotConfigured, ErrorCode::RoomBusy]),
        (4300, &[ErrorCode::RateLimited]),
        (4301, &[ErrorCode::RoomFull, ErrorCode::UserFull]),
        (4501, &[ErrorCode::Forbidden, ErrorCode::ForbiddenOrigin]),
        (4502, &[ErrorCode::Banned]),
        (4503, &[ErrorCode::BadMessages]),
        (4504, &[ErrorCode::Replaced]),
        (4505, &[ErrorCode::Removed]),
        (4506, &[ErrorCode::RoomDeleted]),
        (4507, &[ErrorCode::UnsupportedProtocol]),
        (4508, &[ErrorCode::BinaryFrame]),
        // Addresses at which there never will be a room.
        (
            4509,
            &[
                ErrorCode::InvalidRoom,
                ErrorCode::NotFound,
                ErrorCode::MethodNotAllowed,
            ],
        ),
    ] {
        let codes = ErrorCode::ALL.iter().copied();
        let found: Vec<_> = codes.filter(|code| code.close() == close).collect();
        assert_eq!(found, expected, "{close}");
    }
}

#[test]
fn e2_no_other_close_code_is_in_use() {
    let closes: BTreeSet<_> = ErrorCode::ALL.iter().map(|code| code.close()).collect();
    assert_eq!(
        closes.into_iter().collect::<Vec<_>>(),
        [
            1011, 4000, 4001, 4100, 4101, 4102, 4103, 4300, 4301, 4501, 4502, 4503, 4504, 4505,
            4506, 4507, 4508, 4509
        ]
    );
}

#[test]
fn e2_what_may_be_retried_agrees_with_the_range() {
    for &code in ErrorCode::ALL {
        match code.close() {
            4100..=4499 => assert!(code.retryable(), "{code}"),
            4000..=4099 | 4500..=4999 => assert!(!code.retryable(), "{code}"),
            _ => {}
        }
    }
}

#[test]
fn e1_the_table_has_a_line_for_each_code() {
    let table = ErrorCode::markdown_table();
    assert_eq!(table.lines().count(), ErrorCode::ALL.len() + 2);
    assert!(table.lines().all(|line| line.matches('|').count() == 7));
    assert!(table.contains("\n| `banned` | 403 | 4502 | no | This user is banned"));
}
