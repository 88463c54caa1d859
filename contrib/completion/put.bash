# shellcheck shell=bash
# Completion of put(1) for bash. It needs bash 4.4; bash-completion loads it.

_put() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}

    # Bash takes = as a word of its own.
    if [[ $word == = ]]; then
        word=''
    elif [[ $before == = ]]; then
        before=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    COMPREPLY=()
    case $before in
        -e | --if-exists) mapfile -t COMPREPLY < <(compgen -W 'replace reject keep' -- "$word") ;;
        --progress) mapfile -t COMPREPLY < <(compgen -W 'auto always never' -- "$word") ;;
        -s | --server)
            compopt -o nospace
            mapfile -t COMPREPLY < <(compgen -W 'unix: exec: ' -- "$word")
            ;;
        -n | --name | --retries | --timeout | --bwlimit) ;;
        --from-command) mapfile -t COMPREPLY < <(compgen -c -- "$word") ;;
        *) _put_word "$word" ;;
    esac
}

_put_word() {
    local options='-s --server= -n --name= -r --recursive -R --relative
        -p --preserve -c --checksum -e --if-exists= --from-command= --retries=
        --timeout= --bwlimit= -l --legacy -i --interactive --receipts
        -q --quiet -v --verbose --json --progress= -V --version -h --help'

    if [[ $1 == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$1")
        [[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace
    else
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "$1")
    fi
}

complete -F _put put
