//! The names of feeds in the completions, which the program itself lists.

use clap_complete::Shell;

/// Commands whose arguments are feeds.
const OF_FEEDS: &str = "poll status logs why remove pause resume tag set release";

/// The script with the ids of the feeds for the commands that take them.
pub(super) fn with_names(shell: Shell, script: String) -> String {
    match shell {
        Shell::Bash => script + &BASH.replace("COMMANDS", &OF_FEEDS.replace(' ', "|")),
        Shell::Fish => script + &FISH.replace("COMMANDS", OF_FEEDS),
        Shell::Zsh => zsh(script),
        _ => script,
    }
}

/// Adds the names after the function that clap generates.
const BASH: &str = r#"
_newswire_with_names() {
    _newswire "$@"
    local word="${COMP_WORDS[COMP_CWORD]}"
    case "${COMP_WORDS[1]}" in
        COMMANDS)
            if [[ ${COMP_CWORD} -gt 1 && ${word} != -* ]]; then
                COMPREPLY=( $(compgen -W "$(newswire list --ids 2>/dev/null)" -- "${word}") )
            fi
            ;;
    esac
}
complete -F _newswire_with_names -o nosort -o bashdefault -o default newswire
"#;

const FISH: &str = r#"
complete -c newswire -n "__fish_seen_subcommand_from COMMANDS" -f -a "(newswire list --ids 2>/dev/null)"
"#;

/// The action of the arguments that are feeds.
fn zsh(script: String) -> String {
    let feed = |line: &str| {
        let argument = line.trim_start().trim_start_matches(['\'', '"', '*', ':']);
        let is_feed = ["feed -- ", "feeds -- ", ":feed", ":feeds", "name -- "];
        line.contains(":_default") && is_feed.iter().any(|start| argument.starts_with(start))
    };
    let mut text = String::with_capacity(script.len() + 256);
    for line in script.lines() {
        let named = line.replace(":_default", ":_newswire_feeds");
        text.push_str(if feed(line) { &named } else { line });
        text.push('\n');
        if line.starts_with("autoload -U is-at-least") {
            text.push_str(ZSH);
        }
    }
    text
}

const ZSH: &str = r#"
_newswire_feeds() {
    local -a feeds
    feeds=("${(@f)$(newswire list --ids 2>/dev/null)}")
    compadd -a feeds
}
"#;
