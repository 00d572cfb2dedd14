;;; emacs_example.el --- drives examples/emacs -*- lexical-binding: t; -*-

;;; Commentary:

;; Presses the keys of `plugd-mode' and looks at the buffers; EXAMPLE is the
;; directory of plugd.el.

;;; Code:

(add-to-list 'load-path (getenv "EXAMPLE"))
(require 'plugd)

(defvar notes nil "All messages, the newest first.")
(advice-add 'message :before
            (lambda (text &rest values) (when text (push (apply #'format text values) notes))))
(fset 'y-or-n-p (lambda (_) t))

(defun in-buffer (name text)
  "Wait until the buffer NAME holds TEXT."
  (with-timeout (20 nil)
    (while (not (and (get-buffer name)
                     (with-current-buffer name
                       (save-excursion (goto-char (point-min)) (search-forward text nil t)))))
      (accept-process-output nil 0.01))
    t))

(defun noted (text)
  "Wait until a message holds TEXT."
  (with-timeout (20 nil)
    (while (not (seq-some (lambda (note) (string-search text note)) notes))
      (accept-process-output nil 0.01))
    t))

(defun row ()
  "What the list shows of the plugin."
  (with-current-buffer "*plugins*"
    (goto-char (point-min))
    (search-forward "hello")
    (beginning-of-line)
    (aref (tabulated-list-get-entry) 3)))

(defun press (key)
  "Press KEY on the row of the plugin."
  (with-current-buffer "*plugins*"
    (row)
    (call-interactively (lookup-key plugd-mode-map (kbd key)))))

(defun shows (installed)
  "Wait until the list shows INSTALLED for the plugin."
  (with-timeout (20 nil)
    (while (not (equal installed (row)))
      (accept-process-output nil 0.01))
    t))

(defun check (step fine)
  "Print that STEP is FINE, or what was told."
  (princ (if fine (format "step %s ok\n" step) (format "step %s failed: %S\n" step notes)))
  (unless fine (kill-emacs 1)))

(setq plugd-command '("/nowhere/plugd" "app-server"))
(check "missing" (string-search "no program" (condition-case err (progn (plugd) "no error")
                                               (user-error (cadr err)))))
(setq plugd-command (list (getenv "PLUGD_BINARY") "app-server"))
;; The list is about the directory of whoever asks.
(defun asked-from (directory)
  "Ask for the list from a buffer in DIRECTORY, and answer the directory of the list."
  (with-temp-buffer
    (setq default-directory directory)
    (plugd))
  (buffer-local-value 'default-directory (get-buffer "*plugins*")))
(let* ((here (buffer-local-value 'default-directory (get-buffer "*scratch*")))
       (asked (list (asked-from "/") (asked-from here))))
  (check "directory" (equal (list "/" here) asked)))
(check "list" (and (in-buffer "*plugins*" "hello") (equal "" (row))))
(press "RET")
(check "read" (in-buffer "*plugin*" "hello@demo\n\nSays hello"))
(press "i")
(check "progress" (noted "activating"))
(check "install" (and (noted "Installed hello@demo") (shows "1.0.0")))
(press "d")
(check "uninstall" (and (noted "Uninstalled hello@demo") (shows "")))
(plugd-request :plugin/uninstall '(:pluginId "no id") #'ignore)
(check "refusal" (noted "no id"))
(with-temp-buffer
  (insert "\n[marketplaces.gone]\nsource_type = \"local\"\nsource = \"/nowhere/gone\"\n")
  (append-to-file nil nil (expand-file-name "config.toml" (getenv "CODEX_HOME"))))
(with-current-buffer "*plugins*" (plugd-refresh))
(check "complaint" (in-buffer "*plugins*" "/nowhere/gone"))
(jsonrpc-shutdown plugd--connection)

;;; emacs_example.el ends here
