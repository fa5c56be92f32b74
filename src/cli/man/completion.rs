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

/// Adds the names after the function that clap generates. The words of a line are split at `=` too.
const BASH: &str = r#"
_newswire_with_names() {
    _newswire "$@"
    local word="${COMP_WORDS[COMP_CWORD]}" command="" more="" i
    local -a config=()
    case "${COMP_WORDS[COMP_CWORD-1]}" in
        -c|--config|-n|--lines|--spread|--remove|=) return 0 ;;
    esac
    for (( i = 1; i < COMP_CWORD; i++ )); do
        case "${COMP_WORDS[i]}" in
            -c|--config)
                [[ "${COMP_WORDS[i+1]}" == "=" ]] && (( i++ ))
                (( i++ ))
                config=( --config "${COMP_WORDS[i]/#\~\//${HOME}/}" )
                ;;
            -*) ;;
            *) [[ -n "${command}" ]] || command="${COMP_WORDS[i]}" ;;
        esac
    done
    case "${command}" in
        config) more="default schema" ;;
        COMMANDS) ;;
        *) return 0 ;;
    esac
    if [[ "${word}" != -* ]]; then
        COMPREPLY=( $(compgen -W "${more} $(newswire list --ids "${config[@]}" 2>/dev/null)" -- "${word}") )
    fi
}
complete -F _newswire_with_names -o nosort -o bashdefault -o default newswire
"#;

const FISH: &str = r#"
function __newswire_feeds
    set -l config
    set -l words (commandline -opc)
    for i in (seq (count $words))
        set -l next (math $i + 1)
        switch $words[$i]
            case -c --config
                if test $next -le (count $words)
                    set config --config (string replace -r '^~/' "$HOME/" -- $words[$next])
                end
            case '--config=*'
                set config --config (string replace -- --config= '' $words[$i])
        end
    end
    newswire list --ids $config 2>/dev/null
end
complete -c newswire -n "__fish_seen_subcommand_from COMMANDS config" -f -a "(__newswire_feeds)"
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
    local -a feeds config
    local word before=""
    for word in "${(@Q)${(z)LBUFFER}}"; do
        case "$before" in
            -c|--config) config=(--config "${word/#\~\//$HOME/}") ;;
        esac
        case "$word" in
            --config=*) config=(--config "${word#--config=}") ;;
        esac
        before="$word"
    done
    feeds=("${(@f)$(newswire list --ids $config 2>/dev/null)}")
    compadd -a feeds
}
"#;
