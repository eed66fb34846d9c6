//! The files as a whole: they are written, need nothing from elsewhere, and conform to the schema.

use std::env;
use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use super::fixture::{self, BITES};
use crate::output::{JSON_SCHEMA, html, html_with_trace, markdown, runs_csv, summary_csv, write_all};
use crate::plan::UserLoad;
use crate::results::Invalid;
use crate::results::Report;
use crate::scenario::WorkKind;

#[test]
fn all_files_are_written_and_replaced() {
    let report = fixture::report_of(vec![crate::scenario::Scenario::book()]);
    let directory = env::temp_dir().join(format!("zen-output-{}", std::process::id())).join("a/b");
    for _ in 0..2 {
        let files = write_all(&report, &directory).unwrap();
        let names: Vec<_> = files.iter().map(|file| file.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["report.html", "report.json", "report.md", "runs.csv", "summary.csv"]);
        assert_eq!(fs::read_dir(&directory).unwrap().count(), names.len(), "a temporary file is left over");
        assert_eq!(Report::read_json(fs::File::open(&files[1]).unwrap()).unwrap(), report);
        assert_eq!(fs::read_to_string(&files[0]).unwrap(), html(&report));
    }
    fs::remove_dir_all(directory.parent().unwrap().parent().unwrap()).unwrap();
}

#[test]
fn the_page_needs_nothing_from_elsewhere() {
    let page = html_with_trace(&fixture::report(), &fixture::trace());
    for (attribute, ends) in [("src=", ['"', '\'']), ("href=", ['"', '\'']), ("url(", ['(', ')'])] {
        for (at, _) in page.match_indices(attribute) {
            let value = page[at + attribute.len()..].trim_start_matches(ends);
            assert!(value.starts_with('#'), "{}", &page[at..at + 60]);
        }
    }
    for forbidden in ["@import", "<link", "<iframe", "<img", "<base", "fetch(", "XMLHttpRequest", "import("] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    // The only URL in it is part of a contender's name.
    assert_eq!(
        page.matches("http").count(),
        page.matches("(http://z.example)").count() + page.matches("http-equiv").count()
    );
}

#[test]
fn hostile_names_are_harmless_everywhere() {
    let report = fixture::report();
    let page = html_with_trace(&report, &fixture::trace());
    assert!(!page.contains("<b>\"x\"") && !page.contains("<script>alert") && !page.contains('\u{202e}'));
    assert!(page.contains("=1|&#60;b&#62;") || page.contains("=1|&lt;b&gt;"));
    let text = markdown(&report);
    assert!(
        !text.contains("](http:")
            || text.matches("](http:").count() == text.matches("`zen serve").count() / 9
    );
    assert!(text.contains("=1\\|\\<b\\>\"x\"\\</b\\>\u{fffd}\\[y\\](http\\://z.example)"), "{text}");
    for csv in [runs_csv(&report), summary_csv(&report)] {
        let quoted = format!(",\"'{}\",", BITES.replace('"', "\"\""));
        assert!(csv.contains(&quoted) && !csv.contains(",=1"), "{csv}");
    }
    assert_eq!(runs_csv(&report).matches("\r\n").count(), report.runs.len() + 1);
    assert_eq!(summary_csv(&report).matches("\r\n").count(), report.summaries.len() + 1);
}

#[test]
fn the_page_says_how_the_servers_of_a_trace_work() {
    let report = fixture::report_of(vec![crate::scenario::Scenario::book()]);
    let page = html_with_trace(&report, &fixture::trace());
    let how = page.split("<section id=\"how\"").nth(1).unwrap().split("</section>").next().unwrap();
    let said = "1 thread served 1 of 2 clients at a time, and the others stood in line for up to 58.0\u{a0}ms; \
                its CPU was ";
    assert_eq!(how.matches(said).count(), 2, "{how}");
    let nothing = html_with_trace(&report, &zen_trace::Trace::new(vec![]));
    assert_eq!(nothing, html(&report));
}

#[test]
fn the_page_reports_what_went_wrong() {
    let page = html(&fixture::report());
    assert!(page.contains("3 of 3 runs do not count: the generator was the bottleneck"));
    assert!(page.contains("3 of 3 runs were never steady before their window"));
    let mut report = fixture::report_of(vec![crate::scenario::Scenario::book()]);
    assert!(!html(&report).contains("class=\"warnings\""));
    report.environment.debug_build = true;
    report.complete = false;
    report.runs.pop();
    let page = html(&report);
    assert!(
        page.contains("class=\"warnings\"")
            && page.contains("a debug build")
            && page.contains("incomplete: 26 of 27 runs")
    );
    // Every run is invalid.
    for run in &mut report.runs {
        run.invalid.push(Invalid::GeneratorStarved { share: 0.5 });
    }
    report.summarize();
    assert!(html(&report).contains("None of these runs counts."));
    // Nothing has been run yet.
    report.runs.clear();
    report.summaries.clear();
    let page = html(&report);
    assert!(!page.contains("<figure") && page.contains("No contender comes first"));
    assert_eq!((runs_csv(&report), summary_csv(&report)), (String::new(), String::new()));
}

#[test]
fn a_sweep_has_one_verdict_and_one_run_has_none() {
    let mut report = fixture::report_of(crate::scenario::Scenario::named("open").unwrap());
    let said = "<h2>open-10 to open-90</h2><p class=\"about\">64 clients, questions at 10 to 90 % of ";
    let page = html(&report);
    assert!(page.contains(said) && page.matches("<p class=\"sentence\">").count() == 1);
    // The headline still counts the single loads.
    assert!(page.contains("under all 5 loads") || page.contains("of 5 loads"));
    assert_eq!(markdown(&report).matches("- **open-10 to open-90** → ").count(), 1);
    report.runs.retain(|run| run.repetition == 0);
    report.summarize();
    let page = html(&report);
    assert!(
        page.contains("Too few runs count to tell which is best.") && page.contains("not decided</span>")
    );
    assert!(markdown(&report).contains("not decided at every point: one valid run each is too few"));
}

#[test]
fn the_advice_on_a_user_load_comes_first() {
    let user_load = UserLoad {
        think: Duration::from_millis(40),
        work: Duration::ZERO,
        work_kind: WorkKind::Spin,
        clients: 50,
        server_cores: None,
    };
    let report = fixture::report_of(vec![user_load.scenario()]);
    let advice = user_load.advice(&report);
    assert!(!advice.choice.is_empty() && advice.lines.len() > 1, "{advice:?}");
    let (page, text) = (html(&report), markdown(&report));
    assert!(
        page.contains("for your workload")
            && text.contains("- 50 clients that think for 40ms")
            && text.contains("\n  - → ")
            && text.contains("\n    - "),
        "{text}"
    );
    assert!(page.contains("<h1 id=\"verdict\">Choose ") && page.contains("class=\"advice\""));
    // The lab's own loads are no user load, and have no advice.
    assert!(
        !html(&fixture::report_of(vec![crate::scenario::Scenario::think()])).contains("class=\"advice\"")
    );
}

fn schema() -> jsonschema::Validator {
    let schema: Value = serde_json::from_str(JSON_SCHEMA).unwrap();
    assert!(jsonschema::draft202012::meta::is_valid(&schema));
    jsonschema::draft202012::new(&schema).unwrap()
}

#[test]
fn a_report_keeps_to_its_schema() {
    let schema = schema();
    let mut report = fixture::report();
    report.runs[0].invalid = reasons();
    let report = serde_json::to_value(&report).unwrap();
    let errors: Vec<String> = schema
        .iter_errors(&report)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .take(5)
        .collect();
    assert!(
        errors.is_empty(),
        "zen-compare/schema/report.schema.json must tell what has changed: {errors:#?}"
    );
}

/// Fields that were added without a new version of the format: older reports lack them.
const LATER: [(&str, &str); 4] = [
    ("/environment", "congestion_control"),
    ("/runs/4/latency", "samples"),
    ("/runs/4", "thread_cpu"),
    ("/summaries/1", "failed_runs"),
];

#[test]
fn older_reports_stay_readable() {
    let schema = schema();
    let mut report = fixture::report_of(vec![crate::scenario::Scenario::book()]);
    let mut older = serde_json::to_value(&report).unwrap();
    for (path, field) in LATER {
        assert!(older.pointer_mut(path).unwrap().as_object_mut().unwrap().remove(field).is_some(), "{field}");
    }
    assert!(schema.is_valid(&older));
    report.environment.congestion_control = None;
    report.runs[4].thread_cpu = None;
    report.runs[4].latency.as_mut().unwrap().samples = None;
    assert_eq!(Report::read_json(older.to_string().as_bytes()).unwrap(), report);
}

#[test]
fn nothing_may_be_missing_and_nothing_unknown() {
    let schema = schema();
    let report = serde_json::to_value(fixture::report_of(vec![
        crate::scenario::Scenario::open(50),
        crate::scenario::Scenario::slow(),
    ]))
    .unwrap();
    assert!(schema.is_valid(&report));
    let mut tried = 0;
    for path in [
        "",
        "/environment",
        "/settings",
        "/settings/scenarios/0",
        "/summaries/1",
        "/summaries/1/p50_ns",
        "/runs/4",
        "/runs/4/latency",
        "/runs/4/thread_cpu",
    ] {
        let object = report.pointer(path).unwrap().as_object().unwrap_or_else(|| panic!("{path}"));
        for field in object.keys() {
            let mut lacking = report.clone();
            lacking.pointer_mut(path).unwrap().as_object_mut().unwrap().remove(field);
            let later = LATER.contains(&(path, field.as_str()));
            assert_eq!(schema.is_valid(&lacking), later, "{path} without {field}");
            let mut wrong = report.clone();
            wrong.pointer_mut(path).unwrap()[field] = json!({ "no": "such thing" });
            assert!(!schema.is_valid(&wrong), "{path} with a wrong {field}");
            tried += 1;
        }
        let mut extended = report.clone();
        extended.pointer_mut(path).unwrap()["unheard_of"] = json!(1);
        assert!(!schema.is_valid(&extended), "{path} with an unknown field");
    }
    assert!(tried > 100, "{tried}");
}

#[test]
fn every_field_of_the_schema_is_described() {
    let schema: Value = serde_json::from_str(JSON_SCHEMA).unwrap();
    assert_eq!(schema["properties"]["schema"]["const"], json!(crate::results::SCHEMA));
    let mut described = 0;
    let mut rest = vec![&schema];
    while let Some(value) = rest.pop() {
        for (name, property) in value["properties"].as_object().into_iter().flatten() {
            let description = property["description"].as_str().unwrap_or_default();
            let unit = [("_ns", "nanoseconds"), ("_s", "second"), ("_bytes", "bytes")];
            let unit = unit.iter().find(|(suffix, _)| name.ends_with(suffix));
            if property.get("const").is_none() {
                assert!(description.ends_with(['.', '…']) && description.len() > 3, "{name}: {description}");
                assert!(unit.is_none_or(|(_, unit)| description.contains(unit)), "{name}: {description}");
                described += 1;
            }
        }
        rest.extend(value.as_object().into_iter().flat_map(|object| object.values()));
        rest.extend(value.as_array().into_iter().flatten());
    }
    assert!(described > 150, "{described}");
}

/// One of each kind of reason why a run does not count.
fn reasons() -> Vec<Invalid> {
    let text = || "text".to_owned();
    let reasons = vec![
        Invalid::GeneratorWasBottleneck {
            generator_occupancy: 1.0,
            server_occupancy: 0.5,
            server_capacity: 1.0,
        },
        Invalid::GeneratorStarved { share: 0.5 },
        Invalid::ServerDisturbed { cores: 0.5 },
        Invalid::CoresStolen { cores: 0.5 },
        Invalid::WrongAnswers { conversations: 1, expected: text(), received: text() },
        Invalid::ClosedEarly { conversations: 1 },
        Invalid::CannotConnect { attempts: 1, error: text() },
        Invalid::ServerDied { status: text(), last_words: text() },
        Invalid::ServerNotMeasured { cpu_ns_per_question: 1.0 },
        Invalid::MissedSchedule { due: 2, late: 1, latest_ns: 1 },
        Invalid::OpenFileLimitTooLow { wanted: 2, possible: 1 },
        Invalid::DoesNotApply { what: text() },
        Invalid::NotStarted { error: text() },
    ];
    for reason in &reasons {
        // The compiler points here when a new kind of reason is added.
        match reason {
            Invalid::GeneratorWasBottleneck { .. }
            | Invalid::GeneratorStarved { .. }
            | Invalid::ServerDisturbed { .. }
            | Invalid::CoresStolen { .. }
            | Invalid::WrongAnswers { .. }
            | Invalid::ClosedEarly { .. }
            | Invalid::CannotConnect { .. }
            | Invalid::ServerDied { .. }
            | Invalid::ServerNotMeasured { .. }
            | Invalid::MissedSchedule { .. }
            | Invalid::OpenFileLimitTooLow { .. }
            | Invalid::DoesNotApply { .. }
            | Invalid::NotStarted { .. } => {}
        }
    }
    reasons
}
