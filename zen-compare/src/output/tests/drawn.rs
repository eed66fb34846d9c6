//! The page in a browser: in both colour schemes, with and without scripts, on desktops, phones and
//! paper.

use std::fs;

use serde_json::{Value, json};

use super::devtools::Browser;
use super::fixture;
use crate::output::{html, html_with_trace};

const PROBE: &str = include_str!("probe.js");
const FIGURES: [&str; 10] =
    ["occupancy", "throughput", "connections", "cost", "latency", "open", "busy", "memory", "slow", "idle"];

/// How the page is shown.
#[derive(Debug, Clone, Copy)]
struct View {
    width: u32,
    dark: bool,
    scripts: bool,
    paper: bool,
}

const DESK: View = View { width: 1280, dark: false, scripts: true, paper: false };

fn open(browser: &mut Browser, page: &str, view: View) {
    let file = browser.directory().join("report.html");
    fs::write(&file, page).unwrap();
    let size =
        json!({ "width": view.width, "height": 900, "deviceScaleFactor": 1, "mobile": view.width < 500 });
    browser.call("Emulation.setDeviceMetricsOverride", &size);
    let scheme = json!({ "name": "prefers-color-scheme", "value": if view.dark { "dark" } else { "light" } });
    let media = if view.paper { "print" } else { "screen" };
    browser.call("Emulation.setEmulatedMedia", &json!({ "media": media, "features": [scheme] }));
    browser.call("Emulation.setScriptExecutionDisabled", &json!({ "value": !view.scripts }));
    browser.open(&format!("file://{}", file.display()));
}

/// Every width in both schemes, light with scripts and dark without; a desktop also dark with
/// scripts, and a phone light without.
fn views() -> impl Iterator<Item = View> {
    let view = |(width, dark, scripts)| View { width, dark, scripts, paper: false };
    let both = |width| [(width, false, true), (width, true, false)];
    [1280, 800, 390, 320]
        .into_iter()
        .flat_map(both)
        .chain([(1280, true, true), (390, false, false)])
        .map(view)
}

#[test]
fn everything_is_drawn_legibly_in_every_view() {
    let Some(mut browser) = Browser::start() else { return };
    let page = html(&fixture::report());
    let mut papers = Vec::new();
    let paper = [false, true].map(|dark| View { width: 700, dark, scripts: false, paper: true });
    for view in views().chain(paper) {
        open(&mut browser, &page, view);
        let found = browser.evaluate(PROBE);
        assert_eq!(found["wrong"], json!([]), "{view:?}");
        let count = |what: &str| found[what].as_u64().unwrap();
        assert!(count("charts") >= 40 && count("marks") >= 600 && count("texts") > 2_000, "{view:?} {found}");
        let enriched =
            browser.evaluate("document.querySelectorAll('.legend button').length").as_u64().unwrap();
        assert_eq!(enriched > 0, view.scripts, "{view:?}");
        papers.push((view, found["paper"].as_str().unwrap().to_owned()));

        // Only the page itself was requested, and no error was logged.
        let asked: Vec<&Value> = browser
            .events("Network.requestWillBeSent")
            .iter()
            .map(|event| &event["request"]["url"])
            .collect();
        assert!(asked.iter().all(|url| url.as_str().unwrap().starts_with("file://")), "{asked:?}");
        assert_eq!(asked.len(), 1, "{asked:?}");
        assert_eq!(browser.events("Log.entryAdded"), Vec::<&Value>::new());
        assert_eq!(browser.events("Runtime.exceptionThrown"), Vec::<&Value>::new());
    }
    for (view, paper) in papers {
        let brightness: u32 =
            paper.split(|char: char| !char.is_ascii_digit()).filter_map(|n| n.parse::<u32>().ok()).sum();
        assert_eq!(view.dark && !view.paper, brightness < 200, "{view:?} {paper}");
        assert!(!view.paper || paper == "rgb(255, 255, 255)", "{paper}");
    }
}

#[test]
fn how_they_work_is_drawn_legibly_in_every_view() {
    let Some(mut browser) = Browser::start() else { return };
    let report = fixture::report_of(vec![crate::scenario::Scenario::book()]);
    let page = html_with_trace(&report, &fixture::trace());
    let paper = View { width: 700, dark: true, scripts: false, paper: true };
    for view in views().chain([paper]) {
        open(&mut browser, &page, view);
        assert_eq!(browser.evaluate(PROBE)["wrong"], json!([]), "{view:?}");
        // A thread and two conversations each; and a sentence each, with the contender's mark.
        let counts = "['.lane', '.lane .computing', '.lane .in-line', '#how .sentences .who'] \
                      .map(selector => document.querySelectorAll(selector).length)";
        assert_eq!(browser.evaluate(counts), json!([6, 6, 2, 2]), "{view:?}");
        let zooms = browser.evaluate("!document.querySelector('.zoom').hidden");
        assert_eq!(zooms, json!(view.scripts), "{view:?}");
        assert_eq!(browser.events("Network.requestWillBeSent").len(), 1);
        assert_eq!(browser.events("Runtime.exceptionThrown"), Vec::<&Value>::new());
    }
    // The section comes and goes with the trace.
    open(&mut browser, &html(&report), DESK);
    assert_eq!(browser.evaluate("document.querySelectorAll('#how, .lane').length"), json!(0));
}

#[test]
fn every_figure_is_complete_and_every_contender_is_drawn() {
    let Some(mut browser) = Browser::start() else { return };
    let report = fixture::report();
    open(&mut browser, &html(&report), View { scripts: false, ..DESK });
    let ids = browser.evaluate("[...document.querySelectorAll('figure')].map(figure => figure.id)");
    assert_eq!(ids, json!(FIGURES));
    // Every figure has a caption that names it, a method and its numbers.
    let complete = "[...document.querySelectorAll('figure')].every(f => document.getElementById(f.getAttribute('aria-labelledby')) \
                    && f.querySelector('.method').textContent.length > 60 && f.querySelector('details table caption') \
                    && f.querySelectorAll('details tbody tr').length >= 9)";
    assert_eq!(browser.evaluate(complete), json!(true));
    // In a panel of dots, each contender's position follows its number: the larger, the further to
    // the right.
    let dots = "(() => { const chart = document.querySelector('#throughput svg'); return [...chart.querySelectorAll('.series')] \
                .map(series => [series.getAttribute('class'), series.querySelector('.dot').getBoundingClientRect().x]); })()";
    let places = browser.evaluate(dots);
    let places: Vec<f64> = places.as_array().unwrap().iter().map(|pair| pair[1].as_f64().unwrap()).collect();
    assert_eq!(places.len(), report.settings.contenders.len());
    assert!(places.windows(2).all(|pair| pair[0] >= pair[1] - 0.5), "{places:?}");
    // Ties are shown only where the metric decides the ranking.
    let ties = "['throughput', 'memory', 'cost'].map(id => [...document.querySelectorAll(`#${id} .value`)] \
                .filter(value => value.textContent.endsWith(' tie')).length)";
    let ties = browser.evaluate(ties);
    assert!(ties[0].as_u64() > Some(4) && ties[1] == json!(0), "{ties}");
    assert!(ties[2].as_u64() <= Some(3), "book, think and churn are ranked by cost: {ties}");
    // A contender that does not count is hollow: filled with the background colour.
    let hollow = "(() => { const fill = mark => getComputedStyle(mark).fill; \
                  const ground = getComputedStyle(document.querySelector('#throughput')).backgroundColor; \
                  const of = state => [...document.querySelectorAll(`#throughput .${state} .dot`)].map(fill); \
                  return { ground, starving: of('is-starving'), invalid: of('is-invalid'), best: of('is-best') }; })()";
    let fills = browser.evaluate(hollow);
    let all = |state: &str| {
        fills[state].as_array().unwrap().iter().map(|fill| *fill == fills["ground"]).collect::<Vec<_>>()
    };
    assert!(all("starving").len() >= 8 && all("starving").iter().all(|same| *same), "{fills}");
    assert!(all("invalid").len() == 2 && all("invalid").iter().all(|same| *same), "{fills}");
    assert!(all("best").len() == 8 && !all("best").iter().any(|same| *same), "{fills}");
    // The names are shown as text, not as markup.
    assert_eq!(browser.evaluate("document.querySelectorAll('main b').length > 0 && ![...document.querySelectorAll('b')].some(b => b.textContent === '\"x\"')"), json!(true));
    assert_eq!(browser.evaluate("document.scripts.length"), json!(1));
}

#[test]
fn only_what_was_run_is_drawn() {
    let Some(mut browser) = Browser::start() else { return };
    let scenarios = vec![crate::scenario::Scenario::book(), crate::scenario::Scenario::saturate(1)];
    open(&mut browser, &html(&fixture::report_of(scenarios)), DESK);
    let ids = browser.evaluate("[...document.querySelectorAll('figure')].map(figure => figure.id)");
    assert_eq!(ids, json!(["occupancy", "throughput", "cost", "latency", "busy"]));
    assert_eq!(browser.evaluate(PROBE)["wrong"], json!([]));
}

#[test]
fn scripts_make_the_page_richer() {
    let Some(mut browser) = Browser::start() else { return };
    open(&mut browser, &html(&fixture::report()), DESK);
    let tip = "(async () => { for (const _ of [1, 2]) await new Promise(requestAnimationFrame); const tip = document.getElementById('tip'), box = tip.getBoundingClientRect(); \
               return tip.hidden ? '' : box.left >= 0 && box.right <= innerWidth && box.top >= 0 ? tip.textContent : 'out of sight'; })()";

    // A mark shows its value to the pointer.
    let at = browser.evaluate(
        "(() => { const dot = document.querySelector('#cost .series.c4 .dot'); dot.scrollIntoView({ block: 'center', behavior: 'instant' }); \
         const box = dot.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; })()",
    );
    // The page has finished scrolling before the tip is requested.
    assert_eq!(browser.evaluate(tip), json!(""));
    let moved = |x: &Value, y: &Value| json!({ "type": "mouseMoved", "x": x, "y": y });
    browser.call("Input.dispatchMouseEvent", &moved(&at[0], &at[1]));
    let told = browser.evaluate(tip);
    assert!(told.as_str().unwrap().starts_with("mio: ") && told.as_str().unwrap().contains("µs"), "{told}");
    browser.call("Input.dispatchMouseEvent", &moved(&json!(2), &json!(2)));
    assert_eq!(browser.evaluate(tip), json!(""));

    // And to the keyboard: a chart is one stop of the tab key, and the arrow keys move within it.
    browser.evaluate(
        "document.querySelector('#throughput .mark[tabindex=\"0\"]').focus({ focusVisible: true })",
    );
    let first = browser.evaluate(tip);
    assert!(first.as_str().unwrap().starts_with("floor: "), "{first}");
    let key = |name: &str| json!({ "type": "keyDown", "key": name, "code": name });
    browser.call("Input.dispatchKeyEvent", &key("ArrowDown"));
    let second = browser.evaluate(tip);
    assert!(second.as_str().unwrap().starts_with("mio: "), "{second}");
    let stops = "[...document.querySelectorAll('svg.chart')].map(chart => chart.querySelectorAll('.mark[tabindex=\"0\"]').length)";
    let stops = browser.evaluate(stops);
    assert!(stops.as_array().unwrap().iter().all(|stops| *stops == json!(1)), "{stops}");
    let unnamed = "[...document.querySelectorAll('[role=img]:not([aria-label]), [role=group]:not([aria-label]), button:empty')].length";
    assert_eq!(browser.evaluate(unnamed), json!(0));

    // A contender can be hidden and shown again.
    let seen = "[...document.querySelectorAll('.series.c1')].filter(series => series.getClientRects().length > 0).length";
    let before = browser.evaluate(seen).as_u64().unwrap();
    assert!(before > 30, "{before}");
    let press = "(() => { const button = document.querySelector('.legend li[data-index=\"1\"] button'); button.click(); return button.getAttribute('aria-pressed'); })()";
    assert_eq!((browser.evaluate(press), browser.evaluate(seen)), (json!("false"), json!(0)));
    assert_eq!((browser.evaluate(press), browser.evaluate(seen)), (json!("true"), json!(before)));

    // A table can be sorted by its numbers rather than their letters, in both directions.
    let sort = "(() => { const table = document.querySelector('#numbers table'); table.tHead.rows[0].cells[7].querySelector('button').click(); \
                return [table.tHead.rows[0].cells[7].getAttribute('aria-sort'), ...[...table.tBodies[0].rows].map(row => Number(row.cells[7].dataset.v))]; })()";
    for (order, rising) in [("ascending", true), ("descending", false)] {
        let sorted = browser.evaluate(sort);
        let (said, costs) = sorted.as_array().unwrap().split_first().unwrap();
        let costs: Vec<f64> = costs.iter().map(|cost| cost.as_f64().unwrap()).collect();
        assert_eq!((said, costs.len()), (&json!(order), 9));
        assert!(
            costs.windows(2).all(|pair| if rising { pair[0] <= pair[1] } else { pair[0] >= pair[1] }),
            "{costs:?}"
        );
    }
}

#[test]
fn the_colours_are_on_the_screen_without_scripts() {
    let Some(mut browser) = Browser::start() else { return };
    let page = html(&fixture::report());
    for dark in [false, true] {
        open(&mut browser, &page, View { dark, scripts: false, ..DESK });
        let expected = browser.evaluate(
            "(() => { const chart = document.querySelector('#throughput'), box = chart.getBoundingClientRect(); \
             const of = index => getComputedStyle(chart.querySelector(`.series.c${index} .shape`)).stroke; \
             return { x: box.x + scrollX, y: box.y + scrollY, width: box.width, height: box.height, \
                      ground: getComputedStyle(chart).backgroundColor, colors: [0, 1, 2, 3, 4, 5, 6, 7, 8].map(of) }; })()",
        );
        let clip = json!({ "x": expected["x"], "y": expected["y"], "width": expected["width"], "height": expected["height"], "scale": 1 });
        let shot = browser.call(
            "Page.captureScreenshot",
            &json!({ "format": "png", "clip": clip, "captureBeyondViewport": true }),
        );
        let pixels = decode(&Browser::bytes(&shot));
        let near = |color: &Value| {
            let text = color.as_str().unwrap();
            let wanted: Vec<i32> = text
                .split(|char: char| !char.is_ascii_digit())
                .filter_map(|number| number.parse().ok())
                .collect();
            let close = |pixel: &&[u8; 3]| {
                pixel.iter().zip(&wanted).all(|(got, want)| (i32::from(*got) - want).abs() <= 6)
            };
            pixels.iter().filter(close).count()
        };
        let ground = near(&expected["ground"]);
        assert!(
            ground > pixels.len() / 2 && ground < pixels.len() * 98 / 100,
            "{ground} of {}",
            pixels.len()
        );
        for color in expected["colors"].as_array().unwrap() {
            assert!(near(color) > 150, "{} pixels of {color}, dark: {dark}", near(color));
        }
    }
}

#[test]
fn paper_gets_the_pictures_and_the_numbers() {
    let Some(mut browser) = Browser::start() else { return };
    open(&mut browser, &html(&fixture::report()), View { dark: true, scripts: false, ..DESK });
    let pdf = browser.call("Page.printToPDF", &json!({ "printBackground": true, "preferCSSPageSize": true }));
    let pdf = Browser::bytes(&pdf);
    assert!(pdf.starts_with(b"%PDF-") && pdf.len() > 100_000, "{} bytes", pdf.len());
    // On paper, nothing that only makes sense on a screen is left, and the numbers are open.
    open(
        &mut browser,
        &html(&fixture::report()),
        View { width: 700, dark: true, scripts: true, paper: true },
    );
    let seen = "(() => { const seen = selector => [...document.querySelectorAll(selector)].filter(element => element.checkVisibility()).length; \
                return [seen('.skip'), seen('figure > details'), seen('#numbers table'), seen('#glance td')]; })()";
    let seen = browser.evaluate(seen);
    assert_eq!(seen, json!([0, 0, 17, 17 * 9]));
}

/// The pixels of a PNG, without their transparency.
fn decode(png: &[u8]) -> Vec<[u8; 3]> {
    let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
    let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut bytes).unwrap();
    assert_eq!(info.bit_depth, png::BitDepth::Eight);
    let samples = info.color_type.samples();
    assert!(samples >= 3, "{:?}", info.color_type);
    bytes[..info.buffer_size()].chunks_exact(samples).map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect()
}
