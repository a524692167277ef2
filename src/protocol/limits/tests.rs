use super::*;

fn with(name: &'static str, value: &'static str) -> Result<Limits, InvalidVariable> {
    Limits::from_variables(|asked| (asked == name).then(|| value.to_owned()))
}

#[test]
fn n4_to_n7_defaults_are_those_of_the_rules() {
    let limits = Limits::default();
    assert_eq!(Limits::from_variables(|_| None).as_ref(), Ok(&limits));
    assert_eq!(limits.message_bytes, 64 * 1_024);
    assert_eq!(limits.state_bytes, 4 * 1_024);
    assert_eq!(limits.history_messages, 1_000);
    assert_eq!(limits.history_ms, 24 * 60 * 60 * 1_000);
    assert_eq!(limits.history_bytes, 4 * 1_024 * 1_024);
    assert_eq!(limits.recover_messages, 500);
    assert_eq!((limits.rate_per_second, limits.rate_burst), (100, 200));
    assert_eq!(
        (limits.connections, limits.connections_per_user),
        (10_000, 50)
    );
    assert_eq!(
        (limits.members, limits.presence_bytes),
        (1_000, 512 * 1_024)
    );
    assert_eq!(limits.presence_bytes_per_user, 64 * 1_024);
    assert_eq!(
        (limits.grace_ms, limits.idle_ms, limits.ping_ms),
        (10_000, 3_600_000, 25_000)
    );
    assert_eq!(limits.frames_per_second, 1_200);
    assert_eq!((limits.max_tick_ms, limits.commits_per_second), (40, 20));
}

#[test]
fn n5_history_can_be_turned_off() {
    assert_eq!(
        with("HISTORY_MESSAGES", "0").map(|limits| limits.history_messages),
        Ok(0)
    );
}

#[test]
fn n4_to_n7_variables_are_read_with_their_ranges() {
    for variable in Limits::VARIABLES {
        let set = |value: u64| {
            Limits::from_variables(|name| (name == variable.name).then(|| value.to_string()))
        };
        assert!(
            (variable.min..=variable.max).contains(&variable.default),
            "{}",
            variable.name
        );
        assert_eq!(set(variable.default).as_ref(), Ok(&Limits::default()));
        assert_ne!(
            set(variable.max).as_ref(),
            Ok(&Limits::default()),
            "{}",
            variable.name
        );
        assert!(set(variable.min).is_ok() && set(variable.max).is_ok());
        let error = set(variable.max + 1).unwrap_err();
        assert_eq!(error.name, variable.name);
        if let Some(below) = variable.min.checked_sub(1) {
            assert!(set(below).is_err());
        }
    }
}

#[test]
fn n4_what_is_no_number_is_refused_without_being_repeated() {
    for value in [
        "x",
        "-1",
        "+1",
        "1.5",
        "1e3",
        "4_096",
        "99999999999999999999",
    ] {
        let error = with("MAX_STATE_BYTES", value).unwrap_err();
        assert_eq!(
            error.to_string(),
            "MAX_STATE_BYTES must be a whole number from 16 to 12000 (bytes)"
        );
    }
    assert_eq!(
        with("MAX_STATE_BYTES", " 5000 ").map(|limits| limits.state_bytes),
        Ok(5_000)
    );
    assert_eq!(with("MAX_STATE_BYTES", " "), Ok(Limits::default()));
}

#[test]
fn n4_the_table_has_a_line_for_each_variable() {
    let table = Limits::markdown_table();
    assert_eq!(table.lines().count(), Limits::VARIABLES.len() + 2);
    assert!(table.lines().all(|line| line.matches('|').count() == 7));
}
