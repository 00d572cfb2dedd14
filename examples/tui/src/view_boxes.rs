//! The boxes that lie over the frame: progress, questions, errors, help.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use ratatui::text::Line;
use ratatui::widgets::{Block, Clear, Gauge, Paragraph};

use crate::state::{Fault, Job, Mode, State, Work};
use crate::text::{cut, wrapped};

const HELP: &str = "arrows, h j k l   move
Tab               next pane
Enter             read, show what it would run
/                 search as you type
i                 install the chosen plugin
U                 update it, or the chosen marketplace
b                 back to the version before
u                 uninstall it
a                 add a marketplace
x                 remove a marketplace
r                 read everything anew
Esc               back, or take work back
q, Ctrl-C         quit";

/// Draws what lies on top.
pub(crate) fn draw(frame: &mut Frame<'_>, state: &State) {
    match &state.mode {
        Mode::Confirm(work) => text(frame, " Sure? ", &question(work), Style::new()),
        Mode::Fault(fault) => {
            let style = Style::new().fg(Color::Red);
            text(frame, " That did not work ", &explanation(fault), style);
        }
        Mode::Help => text(frame, " Keys ", HELP, Style::new()),
        Mode::Add(source) => {
            let prompt = format!("a directory, a git address or owner/repo:\n{source}_");
            text(frame, " Add a marketplace ", &prompt, Style::new());
        }
        Mode::Browse | Mode::Search => {
            if let Some(job) = &state.job {
                progress(frame, job);
            }
        }
    }
}

fn question(work: &Work) -> String {
    match work {
        Work::Uninstall(target) => format!("Uninstall {}? (y/n)", target.id),
        Work::Remove(name) => {
            format!("Remove the marketplace {name}? Its plugins stay installed. (y/n)")
        }
        Work::RollBack(target) => format!(
            "Go back to the version of {} before this one, and stay there? (y/n)",
            target.id
        ),
        Work::Update(target, Some(agreed)) => format!(
            "Update {} to {}, which could do more? (y/n)\n\n{}",
            target.id,
            agreed.version,
            agreed.grew.join("\n")
        ),
        other => format!("{}? (y/n)", other.title()),
    }
}

fn explanation(fault: &Fault) -> String {
    let mut said = fault.message.clone();
    if let Some(hint) = &fault.hint {
        said.push_str("\n\n");
        said.push_str(hint);
    }
    said.push_str(if fault.again.is_some() {
        "\n\nr tries again · Esc closes"
    } else {
        "\n\nEsc closes"
    });
    said
}

/// A box of this size in the middle, or as large as fits.
fn middle(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - height) / 2,
        width,
        height,
    }
}

fn text(frame: &mut Frame<'_>, title: &'static str, said: &str, style: Style) {
    let width = frame.area().width.saturating_sub(4).min(60);
    let lines: Vec<Line<'_>> =
        wrapped(said, "", Style::new(), usize::from(width.saturating_sub(2)));
    let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX);
    let area = middle(frame.area(), width, height);
    frame.render_widget(Clear, area);
    let block = Block::bordered().title(title).border_style(style);
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

fn progress(frame: &mut Frame<'_>, job: &Job) {
    let width = frame.area().width.saturating_sub(4).min(60);
    let area = middle(frame.area(), width, 3);
    let title = format!(
        " {} ",
        cut(&job.work.title(), usize::from(width.saturating_sub(4)))
    );
    let (ratio, part) = match job.done {
        Some((done, total)) if total > 0 => {
            #[expect(
                clippy::cast_precision_loss,
                reason = "a bar of sixty columns needs no more than it keeps"
            )]
            let ratio = (done as f64 / total as f64).clamp(0.0, 1.0);
            (ratio, format!(" {}%", done.saturating_mul(100) / total))
        }
        _ => (0.0, String::new()),
    };
    let step = if job.cancelling {
        "taking it back"
    } else if job.step.is_empty() {
        "starting"
    } else {
        &job.step
    };
    frame.render_widget(Clear, area);
    let gauge = Gauge::default()
        .block(Block::bordered().title(title))
        .gauge_style(Style::new().fg(Color::Cyan))
        .use_unicode(true)
        .ratio(ratio)
        .label(cut(
            &format!("{step}{part}"),
            usize::from(width.saturating_sub(2)),
        ));
    frame.render_widget(gauge, area);
}
