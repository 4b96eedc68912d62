# Completion of snapctl's words in bash: `. snapper/host/snapctl.bash`

_snapctl_generations() {
    local image=$1
    [ -r "$image" ] || return
    echo latest oldest
    "$2" -i "$image" list 2>/dev/null | sed -nE 's/^([0-9]{4}-[0-9-]*T[0-9:.]*Z) .*/\1/p'
}

_snapctl() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local verbs="list show status config ls cat diff verify extract export import archive delete
        cleanup pin unpin rollback"
    local image="" verb="" at
    # Times have colons, at which bash splits words.
    if declare -F _get_comp_words_by_ref >/dev/null; then
        local words cword
        _get_comp_words_by_ref -n : -w words -i cword
        word=${words[cword]} before=${words[cword - 1]}
        COMP_WORDS=("${words[@]}") COMP_CWORD=$cword
    fi
    for ((at = 1; at < COMP_CWORD; at++)); do
        case ${COMP_WORDS[at]} in
        -i | --image) image=${COMP_WORDS[++at]} ;;
        -o | --set | --reference | --page) ((at++)) ;;
        -*) ;;
        *) [ -n "$verb" ] || verb=${COMP_WORDS[at]} ;;
        esac
    done
    COMPREPLY=()
    case $before in
    -i | --image | import) mapfile -t COMPREPLY < <(compgen -f -- "$word") && return ;;
    --reference) mapfile -t COMPREPLY < <(compgen -d -- "$word") && return ;;
    esac
    if [[ $word == -* ]]; then
        local options="-i --image -n --dry-run --json -o --set -v --verbose -h --help --version"
        case $verb in
        delete | archive) options+=" --force" ;;
        verify) options+=" --repair" ;;
        diff) options+=" --summary --page" ;;
        import) options+=" --reference" ;;
        esac
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
        return
    fi
    case $verb in
    "") mapfile -t COMPREPLY < <(compgen -W "$verbs" -- "$word") ;;
    archive)
        if [ "$before" = archive ]; then
            mapfile -t COMPREPLY < <(compgen -W "save restore" -- "$word")
            return
        fi
        ;;&
    show | delete | pin | unpin | rollback | extract | export | diff | archive)
        mapfile -t COMPREPLY < <(compgen -W "$(_snapctl_generations "$image" "${COMP_WORDS[0]}")" \
            -- "$word"; compgen -f -- "$word")
        if declare -F __ltrim_colon_completions >/dev/null; then
            __ltrim_colon_completions "$word"
        fi
        ;;
    esac
}
complete -o filenames -F _snapctl snapctl build/snapctl
