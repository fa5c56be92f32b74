//! The names of feeds and tags in the shell completions, which the program itself lists.

use clap_complete::Shell;

/// Commands whose arguments are feeds.
const OF_FEEDS: &str = "poll status logs why remove pause resume tag set release";

/// The script with the ids of the feeds and the tags for the commands that take them.
pub(super) fn with_names(shell: Shell, script: String) -> String {
    match shell {
        Shell::Bash => script + &BASH.replace("COMMANDS", &OF_FEEDS.replace(' ', "|")),
        Shell::Fish => script + &FISH.replace("COMMANDS", OF_FEEDS),
        Shell::Zsh => zsh(script),
        _ => script,
    }
}

/// Adds the names after the function that clap generates. The words of a line are split at `=` too. Names are not given to
/// `compgen -W`, which executes what looks like a command in them: a followed list can have any tag.
const BASH: &str = r#"
_newswire_with_names() {
    _newswire "$@"
    local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" command="" names="" given=0 i
    local -a config=() more=()
    if [[ "${word}" == "=" ]]; then
        word=""
    elif [[ "${before}" == "=" ]]; then
        before="${COMP_WORDS[COMP_CWORD-2]}"
    fi
    for (( i = 1; i < COMP_CWORD; i++ )); do
        case "${COMP_WORDS[i]}" in
            -c|--config)
                [[ "${COMP_WORDS[i+1]}" == "=" ]] && (( i++ ))
                (( i++ ))
                config=( --config "${COMP_WORDS[i]/#\~\//${HOME}/}" )
                ;;
            -c*) config=( "${COMP_WORDS[i]}" ) ;;
            -n|--lines|--spread|--remove|--tag)
                [[ "${COMP_WORDS[i+1]}" == "=" ]] && (( i++ ))
                (( i++ ))
                ;;
            -*) ;;
            *) if [[ -n "${command}" ]]; then (( given++ )); else command="${COMP_WORDS[i]}"; fi ;;
        esac
    done
    case "${before}" in
        # The files of the shell.
        -c|--config) COMPREPLY=(); return 0 ;;
        -n|--lines|--spread) return 0 ;;
        --remove|--tag) names="--tags" ;;
        *)
            case "${command}" in
                config) names="--ids"; more=( default schema ) ;;
                tag) if (( given )); then names="--tags"; else names="--ids"; fi ;;
                COMMANDS) names="--ids" ;;
                *) return 0 ;;
            esac
            ;;
    esac
    [[ "${word}" != -* ]] || return 0
    COMPREPLY=()
    while IFS= read -r i; do
        [[ -n "${i}" && "${i}" == "${word}"* ]] && COMPREPLY+=( "$(printf '%q' "${i}")" )
    done < <(printf '%s\n' "${more[@]}"; newswire list "${names}" "${config[@]}" 2>/dev/null)
}
complete -F _newswire_with_names -o nosort -o bashdefault -o default newswire
"#;

const FISH: &str = r#"
function __newswire_names
    set -l config
    set -l words (commandline -opc)
    for i in (seq (count $words))
        set -l next (math $i + 1)
        switch $words[$i]
            case -c --config
                if test $next -le (count $words)
                    set config --config (string replace -r '^~/' "$HOME/" -- $words[$next])
                end
            case '--config=*' '-c*'
                set config $words[$i]
        end
    end
    newswire list $argv[1] $config 2>/dev/null
end
complete -c newswire -n "__fish_seen_subcommand_from COMMANDS config" -f -a "(__newswire_names --ids)"
complete -c newswire -n "__fish_seen_subcommand_from tag" -f -a "(__newswire_names --tags)"
complete -c newswire -n "__fish_seen_subcommand_from tag" -l remove -r -f -a "(__newswire_names --tags)"
complete -c newswire -n "__fish_seen_subcommand_from add" -l tag -r -f -a "(__newswire_names --tags)"
"#;

/// Replaces the actions of the arguments that are feeds or tags.
fn zsh(script: String) -> String {
    let action = |line: &str| {
        let argument = line.trim_start().trim_start_matches(['\'', '"', '*', ':']);
        let begins = |starts: &[&str]| starts.iter().any(|start| argument.starts_with(start));
        match () {
            () if begins(&["feed -- ", "feeds -- ", ":feed", ":feeds", "name -- "]) => {
                Some("_newswire_feeds")
            }
            () if begins(&["tags -- "]) || line.contains(":TAG:") => Some("_newswire_tags"),
            () => None,
        }
    };
    let mut text = String::with_capacity(script.len() + 1024);
    for line in script.lines() {
        match action(line) {
            Some(action) => text.push_str(&line.replace(":_default", &format!(":{action}"))),
            None => text.push_str(line),
        }
        text.push('\n');
        if line.starts_with("autoload -U is-at-least") {
            text.push_str(ZSH);
        }
    }
    text
}

const ZSH: &str = r#"
_newswire_names() {
    local -a names config
    local word before=""
    for word in "${(@Q)${(z)LBUFFER}}"; do
        case "$before" in
            -c|--config) config=(--config "${word/#\~\//$HOME/}") ;;
        esac
        case "$word" in
            --config=*|-c?*) config=("$word") ;;
        esac
        before="$word"
    done
    names=("${(@f)$(newswire list "$1" $config 2>/dev/null)}")
    compadd -a names
}
_newswire_feeds() { _newswire_names --ids }
_newswire_tags() { _newswire_names --tags }
"#;
